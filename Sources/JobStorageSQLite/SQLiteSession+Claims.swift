internal import JobStorage
internal import PipelineModel

extension SQLiteSession {
  /// Writes to the queue and the leases alone; see `Schema` on jobs that are given out.
  func claim(_ claim: Claim, now: Timestamp) throws(SQLiteFailure) -> [ClaimedJob] {
    guard let key = keys.key(ofIndex: claim.phase), claim.limit > 0 else { return [] }
    let range = QueuePlace.range(ofPhaseKey: key)
    var claimed: [ClaimedJob] = []
    var withoutInstructions: [JobHead] = []
    var lastPlace = range.lowerBound
    let row = try connection.statement(.claimable)
    row.bind(range.lowerBound).bind(range.upperBound).bind(claim.limit)
    defer { row.reset() }
    while try row.step() {
      let waiting = try JobHead(row)
      guard waiting.phaseKey == key else { throw SQLiteFailure.unreadable("job '\(waiting.id)' is in a wrong queue") }
      lastPlace = row.int64(JobHead.columnCount + 1)
      countOut(waiting)
      guard !row.isNull(JobHead.columnCount) else {
        withoutInstructions.append(waiting)
        continue
      }
      tally.totals.lastToken += 1
      let token = LeaseToken(tally.totals.lastToken)
      let lease = Lease(waiting, token: token, worker: claim.worker, claimedAt: now)
      leases.add(lease)
      tally.count(lease.head, 1)
      try connection.statement(.enterLease)
        .bind(bits: token.number).bind(waiting.serial).bind(claim.worker.text).bind(now).run()
      claimed.append(
        ClaimedJob(
          id: waiting.id, token: token, attempt: lease.head.counters.attempt,
          failures: waiting.counters.failures, crashes: waiting.counters.crashes, losses: waiting.counters.losses,
          instructions: row.bytes(JobHead.columnCount),
          queuedAt: waiting.queuedAt))
    }
    guard claimed.count + withoutInstructions.count > 0 else { return [] }
    // Those are all up to there: a claim takes from the front.
    try connection.statement(.leaveQueueUpTo).bind(range.lowerBound).bind(lastPlace).run()
    for job in withoutInstructions { try bury(job, now: now) }
    return claimed
  }

  /// A job that nobody can work on, and that must not stop those behind it.
  private func bury(_ job: JobHead, now: Timestamp) throws(SQLiteFailure) {
    var job = job
    try connection.statement(.writeError)
      .bind(job.serial).bind("Unreadable").bind("its instructions are missing in the database").bind("").bind("").run()
    job.hasError = true
    try put(&job, Move(to: .finished(.dead), counters: job.counters), now: now)
  }

  /// - Returns: how many became due, by phase.
  func promote(limit: Int, dueBy: Timestamp, now: Timestamp) throws(SQLiteFailure) -> [Int: Int] {
    var promoted: [Int: Int] = [:]
    // Read first: the moves change the tables that are read.
    let due = try heads(.dueJobs) { $0.bind(dueBy).bind(limit) }
    for var job in due {
      guard let move = JobLifecycle.promote(job.standing(keys)) else {
        throw SQLiteFailure.unreadable("job '\(job.id)' is among those that are delayed and is not")
      }
      try withdraw(&job)
      try put(&job, move, now: now)
      promoted[keys.shownIndex(ofKey: job.phaseKey), default: 0] += 1
    }
    return promoted
  }

  /// Every head that a query finds.
  func heads(_ query: Query, bind: (Statement) -> Void) throws(SQLiteFailure) -> [JobHead] {
    var heads: [JobHead] = []
    let row = try connection.statement(query)
    bind(row)
    defer { row.reset() }
    while try row.step() { heads.append(try head(row)) }
    return heads
  }
}
