import Glibc
import JobStorage
import PipelineModel
import Synchronization

/// A store that fails as it is told, around one that does not.
final class FaultyJobStore: JobStore {
  enum Fault: Sendable {
    /// Nothing was written.
    case before
    /// Everything was written, and nobody was told.
    case afterCommit
    /// Everything was written, and is not known to outlive a loss of power.
    case flush
    /// Answers late.
    case slow
  }

  private let inner = MemoryJobStore()
  private let plan: @Sendable (Int) -> Fault?
  private let kind: StoreError.Kind
  /// Turns so far, and how many of them failed.
  let tally = Tally()

  final class Tally: Sendable {
    let turns = Atomic(0)
    let faults = Atomic(0)
  }

  let address = "faulty:"
  /// Not in the event loop, as with stores that wait for a disk or a network.
  let answersAtOnce = false

  /// - Parameter plan: what happens to the turn of this number, counted from 1.
  init(failingWith kind: StoreError.Kind = .unavailable, _ plan: @escaping @Sendable (Int) -> Fault?) {
    self.plan = plan
    self.kind = kind
  }

  func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    let number = tally.turns.add(1, ordering: .relaxed).newValue
    guard let fault = plan(number) else { return try inner.apply(turn) }
    tally.faults.add(1, ordering: .relaxed)
    switch fault {
    case .flush:
      refusesFlush = true
      return try inner.apply(turn)
    case .before: break
    case .afterCommit: _ = try inner.apply(turn)
    case .slow:
      // The fault itself, not a wait for something.
      usleep(300_000)
      return try inner.apply(turn)
    }
    inner.close()
    throw StoreError(kind, operation: "apply", message: "\(address) fails on purpose")
  }

  let needsFlush = true
  private var refusesFlush = false

  func flush() throws(StoreError) {
    guard refusesFlush else { return }
    refusesFlush = false
    inner.close()
    throw StoreError(kind, operation: "flush", message: "\(address) fails on purpose")
  }

  func open(_ pipeline: PipelineDefinition, owner: String, now: Timestamp) throws(StoreError) {
    try inner.open(pipeline, owner: owner, now: now)
  }
  func keepOwnership(now: Timestamp) throws(StoreError) { try inner.keepOwnership(now: now) }
  func runningJobs() throws(StoreError) -> [RunningJob] { try inner.runningJobs() }
  func counts() throws(StoreError) -> StoreCounts { try inner.counts() }
  func job(_ id: JobID) throws(StoreError) -> JobRecord? { try inner.job(id) }
  func states(of ids: [JobID]) throws(StoreError) -> [JobState?] { try inner.states(of: ids) }
  func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    try inner.jobs(matching: filter, after: cursor, limit: limit, maximumBytes: maximumBytes)
  }
  func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    try inner.count(matching: filter, after: cursor, limit: limit)
  }
  func makeReader() throws(StoreError) -> (any JobReader)? { nil }
  func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    try inner.cancel(id, now: now)
  }
  func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(StoreError) -> (was: JobState, step: ActionStep)? {
    try inner.requeue(id, with: instructions, now: now)
  }
  func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: String?, limit: Int, now: Timestamp
  ) throws(StoreError) -> ActionStep {
    try inner.perform(action, matching: filter, after: cursor, limit: limit, now: now)
  }
  func prune(
    _ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp
  ) throws(StoreError) -> Int {
    try inner.prune(policy, metricsBefore: metricsBefore, limit: limit, now: now)
  }
  func timelineOffset() throws(StoreError) -> Int64 { try inner.timelineOffset() }
  func setTimelineOffset(_ milliseconds: Int64) throws(StoreError) { try inner.setTimelineOffset(milliseconds) }
  func setPaused(_ paused: Bool, phase: Int?) throws(StoreError) { try inner.setPaused(paused, phase: phase) }
  func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) { try inner.paused() }
  func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    try inner.metrics(minutes: range)
  }
  func close() { inner.close() }
}
