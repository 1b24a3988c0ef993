public import JobStorage
public import PipelineModel

/// Looking by the connection that writes. What cannot be read fails alone, and the database stays open.
extension SQLiteJobStore {
  public func runningJobs() throws(StoreError) -> [RunningJob] { try opened("runningJobs").runningJobs() }

  public func counts() throws(StoreError) -> StoreCounts {
    let session = try opened("counts")
    return session.tally.counts(session.keys)
  }

  public func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    try look("job") { (view) throws(SQLiteFailure) in try view.job(id) }
  }

  public func states(of ids: [JobID]) throws(StoreError) -> [JobState?] {
    try look("states") { (view) throws(SQLiteFailure) in try view.states(of: ids) }
  }

  public func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    let before = try pageStart(cursor)
    return try look("jobs") { (view) throws(SQLiteFailure) in
      try view.jobs(matching: filter, before: before, limit: limit, maximumBytes: maximumBytes)
    }
  }

  public func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    let before = try pageStart(cursor)
    return try look("count") { (view) throws(SQLiteFailure) in
      try view.count(matching: filter, before: before, limit: limit)
    }
  }

  public func timelineOffset() throws(StoreError) -> Int64 {
    let session = try opened("timelineOffset")
    return try storeErrors("timelineOffset", place) { () throws(SQLiteFailure) in try session.timelineOffset() }
  }

  public func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) {
    let session = try opened("paused")
    return try storeErrors("paused", place) { () throws(SQLiteFailure) in try session.paused() }
  }

  public func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    try look("metrics") { (view) throws(SQLiteFailure) in try view.metrics(minutes: range) }
  }

  private func look<Value>(
    _ operation: String, _ body: (JobView) throws(SQLiteFailure) -> Value
  ) throws(StoreError) -> Value {
    let session = try opened(operation)
    return try storeErrors(operation, place) { () throws(SQLiteFailure) in try body(session.view) }
  }
}
