internal import JobStorage
internal import PipelineModel

/// The jobs as a connection sees them: nothing is remembered from one call to the next, so a reader's is as good as that
/// of the connection that writes.
struct JobView {
  let connection: Connection
  let keys: PhaseKeys

  func counts() throws(SQLiteFailure) -> StoreCounts { try Tally(stored: connection).counts(keys) }

  func states(of ids: [JobID]) throws(SQLiteFailure) -> [JobState?] {
    var states: [JobState?] = []
    for id in ids { states.append(try glimpse(id)?.state) }
    return states
  }

  func job(_ id: JobID) throws(SQLiteFailure) -> JobRecord? {
    guard let glimpse = try glimpse(id) else { return nil }
    return try record(glimpse, holders: glimpse.state == .running ? try holders() : [:])
  }

  func jobs(
    matching filter: JobFilter, before: Int64, limit: Int, maximumBytes: Int
  ) throws(SQLiteFailure) -> JobPage {
    var page = JobPage(jobs: [], next: nil)
    var bytes = 0
    var holders: [Int64: Holder]?
    let stretch = Stretch(order: .newestFirst, before: before, limit: Self.jobsLookedAt)
    let end = try look(through: filter, stretch, until: { page.jobs.count >= limit }) { (job) throws(SQLiteFailure) in
      guard page.jobs.isEmpty || job.size <= maximumBytes - bytes else { return false }
      bytes += job.size
      if job.state == .running, holders == nil { holders = try self.holders() }
      if let record = try readable(job, holders: holders ?? [:]) { page.jobs.append(record) }
      return true
    }
    page.next = end.next.map { String($0) }
    return page
  }

  func count(matching filter: JobFilter, before: Int64, limit: Int) throws(SQLiteFailure) -> CountStep {
    var step = CountStep()
    let stretch = Stretch(order: .newestFirst, before: before, limit: limit)
    let end = try look(through: filter, stretch) { _ in
      step.count += 1
      return true
    }
    (step.examined, step.next) = (end.examined, end.next.map { String($0) })
    return step
  }

  /// Bounds the time of one page.
  static let jobsLookedAt = 10_000
}

/// Single jobs.
extension JobView {
  /// Who has a running job, and since when.
  struct Holder {
    let worker: WorkerID
    let since: Timestamp
  }

  private func glimpse(_ id: JobID) throws(SQLiteFailure) -> Glimpse? {
    try connection.statement(.glimpseByID).bind(id.text).first { Glimpse($0) } ?? nil
  }

  /// By the serials of their jobs.
  func holders() throws(SQLiteFailure) -> [Int64: Holder] {
    let row = try connection.statement(.holders)
    defer { row.reset() }
    var holders: [Int64: Holder] = [:]
    while try row.step() {
      guard let worker = WorkerID(row.text(1)) else { continue }
      holders[row.int64(0)] = Holder(worker: worker, since: row.moment(2))
    }
    return holders
  }

  /// A job that cannot be read must not hide those beside it: then what is known of it, and an error that says so.
  /// - Returns: nil where not even its id can be read.
  private func readable(_ job: Glimpse, holders: [Int64: Holder]) throws(SQLiteFailure) -> JobRecord? {
    do { return try record(job, holders: holders) } catch {
      guard error.isUnreadable else { throw error }
      guard let head = try? connection.statement(.jobBySerial).bind(job.serial).first(JobHead.init) else { return nil }
      return JobRecord(
        id: head.id, state: job.state, phase: keys.shownIndex(ofKey: head.phaseKey), priority: head.priority,
        attempt: head.counters.attempt, failures: head.counters.failures, crashes: head.counters.crashes,
        losses: head.counters.losses, instructions: [], enqueuedAt: head.enqueuedAt, updatedAt: head.updatedAt,
        dueAt: head.dueAt,
        worker: holders[job.serial]?.worker, error: JobError(type: "Unreadable", message: error.detail))
    }
  }

  private func record(_ job: Glimpse, holders: [Int64: Holder]) throws(SQLiteFailure) -> JobRecord {
    let row = try connection.statement(.recordBySerial).bind(job.serial)
    let record = try row.first { (row) throws(SQLiteFailure) in
      var head = try JobHead(row)
      head.state = job.state
      let holder = job.state == .running ? holders[job.serial] : nil
      if let holder { head.beRunning(since: holder.since) }
      return try self.record(head, row, worker: holder?.worker)
    }
    guard let record else { throw SQLiteFailure.unreadable("job \(job.serial) is not there any more") }
    return record
  }

  private func record(_ head: JobHead, _ row: Statement, worker: WorkerID?) throws(SQLiteFailure) -> JobRecord {
    let first = JobHead.columnCount
    guard !row.isNull(first + 1) else { throw SQLiteFailure.unreadable("job '\(head.id)' has no instructions") }
    guard let attempts = Timeline.attempts(in: row.bytes(first)) else {
      throw SQLiteFailure.unreadable("the timeline of job '\(head.id)' cannot be read")
    }
    let error: JobError? =
      row.isNull(first + 2)
      ? nil
      : JobError(
        type: row.text(first + 2), message: row.text(first + 3), location: row.text(first + 4),
        standardErrorTail: row.text(first + 5))
    return JobRecord(
      id: head.id, state: head.state, phase: keys.shownIndex(ofKey: head.phaseKey), priority: head.priority,
      attempt: head.counters.attempt, failures: head.counters.failures, crashes: head.counters.crashes,
      losses: head.counters.losses, instructions: row.bytes(first + 1), enqueuedAt: head.enqueuedAt,
      updatedAt: head.updatedAt, dueAt: head.dueAt,
      worker: worker, error: error, attempts: keys.shown(attempts))
  }
}
