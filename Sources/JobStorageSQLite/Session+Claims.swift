internal import JobStorage
internal import PipelineModel

extension Session {
  /// Writes to the queue and the leases alone; see `Schema` on jobs that are given out.
  func claim(_ claim: Claim, now: Timestamp) throws(SQLiteFailure) -> [ClaimedJob] {
    guard let key = keys.key(ofIndex: claim.phase), claim.limit > 0 else { return [] }
    let range = QueuePlace.range(ofPhaseKey: key)
    var claimed: [ClaimedJob] = []
    var lastPlace = range.lowerBound
    let row = try connection.statement(.claimable)
    row.bind(range.lowerBound).bind(range.upperBound).bind(claim.limit)
    defer { row.reset() }
    while try row.step() {
      let waiting = try JobHead(row)
      guard waiting.phaseKey == key else { throw SQLiteFailure.unreadable("job '\(waiting.id)' is in a wrong queue") }
      lastPlace = row.int64(JobHead.columnCount + 1)
      countOut(waiting)
      tally.totals.lastToken += 1
      let token = LeaseToken(tally.totals.lastToken)
      let lease = Lease(waiting, token: token, worker: claim.worker, until: claim.leaseUntil, claimedAt: now)
      leases.add(lease)
      tally.count(lease.head, 1)
      try connection.statement(.enterLease)
        .bind(bits: token.number).bind(waiting.serial).bind(claim.worker.text).bind(claim.leaseUntil).bind(now).run()
      claimed.append(
        ClaimedJob(
          id: waiting.id, token: token, attempt: lease.head.attempt, failures: waiting.failures,
          crashes: waiting.crashes, instructions: row.bytes(JobHead.columnCount), queuedAt: waiting.queuedAt))
    }
    guard !claimed.isEmpty else { return [] }
    // Those are all up to there: a claim takes from the front.
    try connection.statement(.leaveQueueUpTo).bind(range.lowerBound).bind(lastPlace).run()
    return claimed
  }

  /// - Returns: how many became due, by phase.
  func promote(limit: Int, now: Timestamp) throws(SQLiteFailure) -> [Int: Int] {
    var promoted: [Int: Int] = [:]
    // Read first: the moves change the tables that are read.
    let due = try heads(.dueJobs) { $0.bind(now).bind(limit) }
    for var job in due {
      try withdraw(&job)
      try putWaiting(&job, now: now)
      promoted[keys.shownIndex(ofKey: job.phaseKey), default: 0] += 1
    }
    return promoted
  }

  /// At most `limit` heads that a query finds and that are meant.
  func heads(
    _ query: Query, limit: Int, where isMeant: (JobHead) throws(SQLiteFailure) -> Bool, bind: (Statement) -> Void
  ) throws(SQLiteFailure) -> [JobHead] {
    var heads: [JobHead] = []
    let row = try connection.statement(query)
    bind(row)
    defer { row.reset() }
    while heads.count < limit, try row.step() {
      let head = try self.head(row)
      if try isMeant(head) { heads.append(head) }
    }
    return heads
  }

  /// Every head that a query finds.
  func heads(_ query: Query, bind: (Statement) -> Void) throws(SQLiteFailure) -> [JobHead] {
    try heads(query, limit: .max, where: { _ in true }, bind: bind)
  }
}
