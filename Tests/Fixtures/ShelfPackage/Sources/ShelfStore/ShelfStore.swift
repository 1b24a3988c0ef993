public import JobStorage
public import PipelineModel

/// Keeps jobs in one array, and looks through all of it for whatever it is asked: the least that a store can be.
///
/// They are lost with the object, and no other knows of them; within it they outlive `close`.
public final class ShelfStore: JobStore {
  public let address: String
  public let answersAtOnce = true

  var keys = PhaseKeys()
  /// In the order in which they were enqueued.
  var jobs: [ShelvedJob] = []
  var lastSerial: UInt64 = 0
  var lastToken: UInt64 = 0
  /// Of the job that was put last behind all others, and before all others.
  var lastOrder: Int64 = 0
  var firstOrder: Int64 = 0
  /// By key.
  var meters: [PhaseMetrics] = []
  private var isPipelinePaused = false
  private var pausedKeys: Set<Int> = []
  private var offset: Int64 = 0
  private var isOpen = false

  public init(address: String) { self.address = address }

  public func open(_ pipeline: PipelineDefinition, owner: String, now: Timestamp) throws(StoreError) {
    let changed = PhaseKeys(known: keys.names, pipeline: pipeline)
    let counts = changed.names.indices.map { key in PhaseCounts(of: jobs.filter { $0.record.phase == key }) }
    try changed.refuseLeftovers(counts: counts, pipeline: pipeline.name, address: address)
    keys = changed
    lastToken = max(lastToken, UInt64(max(0, now.milliseconds)) &* 1_024)
    isOpen = true
  }

  public func makeReader() throws(StoreError) -> (any JobReader)? { nil }

  public func keepOwnership(now: Timestamp) throws(StoreError) { try requireOpen("keepOwnership") }

  public func close() { isOpen = false }

  func requireOpen(_ operation: String) throws(StoreError) {
    guard isOpen else { throw StoreError(.unavailable, operation: operation, message: "\(address): not open") }
  }
}

extension ShelfStore {
  public func setPaused(_ paused: Bool, phase: Int?) throws(StoreError) {
    try requireOpen("setPaused")
    guard let phase else {
      isPipelinePaused = paused
      return
    }
    guard let key = keys.key(ofIndex: phase) else {
      throw StoreError(
        .misconfigured, operation: "setPaused", message: "\(address): phase \(phase) does not exist")
    }
    if paused { pausedKeys.insert(key) } else { pausedKeys.remove(key) }
  }

  public func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) {
    try requireOpen("paused")
    return (isPipelinePaused, Set(pausedKeys.compactMap { keys.index(ofKey: $0) }))
  }

  public func timelineOffset() throws(StoreError) -> Int64 {
    try requireOpen("timelineOffset")
    return offset
  }

  public func setTimelineOffset(_ milliseconds: Int64) throws(StoreError) {
    try requireOpen("setTimelineOffset")
    offset = milliseconds
  }
}
