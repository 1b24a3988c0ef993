public import PipelineModel

/// Keeps everything in the process: for tests, for trials, and for pipelines whose jobs may be lost with the process.
///
/// It is the plainest reading of `JobStore`. Closing keeps the jobs; the same object can be opened again.
public final class MemoryJobStore: JobStore {
  public let address = "memory:"
  public let answersAtOnce = true

  var keys = PhaseKeys()
  var register = MemoryRegister()
  /// By phase key, like `phaseCounts`.
  var queues: [MemoryQueue] = []
  var phaseCounts: [PhaseCounts] = []
  var delays = MemoryDelays()
  var running: [LeaseToken: MemoryJob] = [:]
  /// Succeeded and cancelled, in the order they came to their end.
  var finished = TombstoneQueue()
  var finishedBytes = 0
  /// In the order they died.
  var dead = TombstoneQueue()
  var deadBytes = 0
  var succeededCount = 0
  var cancelledCount = 0
  var isPipelinePaused = false
  var pausedKeys: Set<Int> = []
  /// By minute, then phase key.
  var meters: [Int64: [Int: PhaseMetrics]] = [:]
  /// As they were when `meters` was last looked through.
  var metricsPrunedBefore = Int64.min
  var metersAtPruning = 0
  var lastToken: UInt64 = 0
  var keptTimelineOffset: Int64 = 0
  private var isOpen = false

  public init() {}

  public func open(_ pipeline: PipelineDefinition, owner: String, now: Timestamp) throws(StoreError) {
    let changed = PhaseKeys(known: keys.names, pipeline: pipeline)
    try changed.refuseLeftovers(counts: phaseCounts, pipeline: pipeline.name, address: address)
    keys = changed
    while queues.count < keys.names.count {
      queues.append(MemoryQueue())
      phaseCounts.append(PhaseCounts())
    }
    lastToken = max(lastToken, UInt64(max(0, now.milliseconds)) &* 1_024)
    isOpen = true
  }

  public func makeReader() throws(StoreError) -> (any JobReader)? { nil }

  public func close() { isOpen = false }

  public func keepOwnership(now: Timestamp) throws(StoreError) { try requireOpen("keepOwnership") }

  /// Other stores have nothing to ask while they are closed; code that runs on this one must not get used to it.
  func requireOpen(_ operation: String) throws(StoreError) {
    guard !isOpen else { return }
    throw StoreError(.unavailable, operation: operation, message: "\(address): not open")
  }
}
