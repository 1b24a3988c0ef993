import JobStorage
import JobStorageSQLite
import PipelineModel
import PluginTestKit

/// A SQLite store in a folder of its own, which is removed when this is.
final class SQLiteInFolder: JobStore {
  private let folder: TemporaryFolder
  private let store: SQLiteJobStore

  init() throws {
    folder = try TemporaryFolder()
    // The contract says nothing of power cuts, so its thousands of turns need not wait for the disk.
    store = try SQLiteJobStore(uri: "sqlite:\(folder.path)/jobs.db?synchronous=normal")
  }

  var address: String { store.address }

  func open(_ pipeline: PipelineDefinition, owner: String, now: Timestamp) throws(StoreError) {
    try store.open(pipeline, owner: owner, now: now)
  }

  func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult { try store.apply(turn) }

  func keepOwnership(now: Timestamp) throws(StoreError) { try store.keepOwnership(now: now) }

  func runningJobs() throws(StoreError) -> [RunningJob] { try store.runningJobs() }

  func counts() throws(StoreError) -> StoreCounts { try store.counts() }

  func job(_ id: JobID) throws(StoreError) -> JobRecord? { try store.job(id) }

  func states(of ids: [JobID]) throws(StoreError) -> [JobState?] { try store.states(of: ids) }
  func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    try store.jobs(matching: filter, after: cursor, limit: limit, maximumBytes: maximumBytes)
  }
  func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    try store.count(matching: filter, after: cursor, limit: limit)
  }
  func makeReader() throws(StoreError) -> (any JobReader)? { try store.makeReader() }
  func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    try store.cancel(id, now: now)
  }

  func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(StoreError) -> (was: JobState, step: ActionStep)? {
    try store.requeue(id, with: instructions, now: now)
  }
  func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: String?, limit: Int, now: Timestamp
  ) throws(StoreError) -> ActionStep {
    try store.perform(action, matching: filter, after: cursor, limit: limit, now: now)
  }
  func prune(
    _ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp
  ) throws(StoreError) -> Int {
    try store.prune(policy, metricsBefore: metricsBefore, limit: limit, now: now)
  }

  func timelineOffset() throws(StoreError) -> Int64 { try store.timelineOffset() }
  func setTimelineOffset(_ milliseconds: Int64) throws(StoreError) { try store.setTimelineOffset(milliseconds) }
  func setPaused(_ paused: Bool, phase: Int?) throws(StoreError) { try store.setPaused(paused, phase: phase) }

  func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) { try store.paused() }

  func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    try store.metrics(minutes: range)
  }

  func close() { store.close() }
}
