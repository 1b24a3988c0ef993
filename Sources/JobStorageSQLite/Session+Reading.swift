internal import JobStorage
internal import PipelineModel

extension Session {
  func runningJobs() -> [RunningJob] { leases.all.map { $0.running(keys) }.sorted { $0.token < $1.token } }

  func counts() -> StoreCounts {
    StoreCounts(
      phases: keys.keys.map { tally.phases[$0] }, succeeded: tally.totals.succeeded,
      cancelled: tally.totals.cancelled)
  }

  func record(_ id: JobID) throws(SQLiteFailure) -> JobRecord? {
    guard let head = try head(id: id) else { return nil }
    return try record(head)
  }

  func record(_ head: JobHead) throws(SQLiteFailure) -> JobRecord {
    let row = try connection.statement(.recordBySerial).bind(head.serial)
    let record = try row.first { (row) throws(SQLiteFailure) in
      let first = JobHead.columnCount
      let error: JobError? =
        row.isNull(first + 2)
        ? nil
        : JobError(
          type: row.text(first + 2), message: row.text(first + 3), location: row.text(first + 4),
          standardErrorTail: row.text(first + 5))
      return JobRecord(
        id: head.id, state: head.state, phase: keys.shownIndex(ofKey: head.phaseKey), priority: head.priority,
        attempt: head.attempt, failures: head.failures, crashes: head.crashes, instructions: row.bytes(first + 1),
        enqueuedAt: head.enqueuedAt, updatedAt: head.updatedAt, dueAt: head.dueAt,
        worker: leases[serial: head.serial]?.worker, error: error,
        attempts: keys.shown(try Timeline.attempts(in: row.bytes(first))))
    }
    guard let record else { throw SQLiteFailure.unreadable("job '\(head.id)' has no instructions") }
    return record
  }

  func jobs(matching filter: JobFilter, after cursor: String?, limit: Int) throws(SQLiteFailure) -> JobPage {
    var page = JobPage(jobs: [], next: nil)
    var before = Int64.max
    if let cursor {
      guard let serial = UInt64(cursor), String(serial) == cursor else { return page }
      before = Int64(clamping: serial)
    }
    if let id = filter.id {
      guard limit > 0, let head = try head(id: id), head.serial < before else { return page }
      if try isMeant(head, by: filter) { page.jobs = [try record(head)] }
      return page
    }
    var seen = 0
    var last: Int64?
    try lookThrough(filter, before: before) { (head) throws(SQLiteFailure) in
      if page.jobs.count >= limit || seen == Self.jobsLookedAt {
        page.next = last.map { String($0) }
        return false
      }
      if try isMeant(head, by: filter) { page.jobs.append(try record(head)) }
      last = head.serial
      seen += 1
      return true
    }
    return page
  }

  /// Hands every job that may match to `visit`, the newest first, until that answers false.
  private func lookThrough(
    _ filter: JobFilter, before: Int64, visit: (JobHead) throws(SQLiteFailure) -> Bool
  ) throws(SQLiteFailure) {
    if let few = try fewCandidates(filter) {
      for serial in few.sorted(by: >) where serial < before {
        guard let head = try head(serial: serial) else { continue }
        guard try visit(head) else { return }
      }
      return
    }
    let row: Statement
    if let states = filter.states, states.count == 1, let state = states.first, state.isFinal {
      row = try connection.statement(.newestFinishedInState).bind(before).bind(Int(state.rawValue))
    } else {
      row = try connection.statement(.newestJobs).bind(before)
    }
    defer { row.reset() }
    while try row.step() {
      guard try visit(try head(row)) else { return }
    }
  }

  /// Bounds the time of one page.
  static let jobsLookedAt = 10_000
}
