internal import JobStorage
internal import PipelineModel

extension SQLiteSession {
  func apply(_ turn: StoreTurn) throws(SQLiteFailure) -> StoreTurnResult {
    guard !turn.isEmpty else { return StoreTurnResult() }
    return try transaction(flushing: false) { () throws(SQLiteFailure) in
      let now = turn.now
      var result = StoreTurnResult()
      result.settlements = try settle(turn.settlements, dueBy: turn.promotionTime, now: now)
      for new in turn.enqueues { result.enqueues.append(try enqueue(new, dueBy: turn.promotionTime, now: now)) }
      if turn.promotionLimit > 0 {
        result.promoted = try promote(limit: turn.promotionLimit, dueBy: turn.promotionTime, now: now)
        result.nextDue = try connection.statement(.firstDelayed).first { $0.moment(0) }
      }
      for claim in turn.claims { result.claims.append(try self.claim(claim, now: now)) }
      for metrics in turn.metrics { try add(metrics) }
      return result
    }
  }

  private func settle(
    _ settlements: [Settlement], dueBy: Timestamp, now: Timestamp
  ) throws(SQLiteFailure) -> [WriteOutcome] {
    var toFront: [(job: JobHead, move: Move)] = []
    var outcomes: [WriteOutcome] = []
    outcomes.reserveCapacity(settlements.count)
    for settlement in settlements {
      guard let lease = leases[settlement.token], lease.head.id == settlement.job,
        let move = JobLifecycle.settle(
          settlement, of: lease.head.standing(keys, under: lease.token), dueBy: dueBy)
      else {
        outcomes.append(.stale)
        continue
      }
      var job = lease.head
      try withdraw(&job)
      if settlement.effect.isToFront { toFront.append((job, move)) } else { try put(&job, move, now: now) }
      outcomes.append(.recorded)
    }
    // Backwards, so that the first of them ends up in front.
    for (job, move) in toFront.reversed() {
      var job = job
      try put(&job, move, now: now)
    }
    return outcomes
  }

  private func enqueue(_ new: NewJob, dueBy: Timestamp, now: Timestamp) throws(SQLiteFailure) -> EnqueueOutcome {
    var job = JobHead(new, serial: tally.totals.lastSerial + 1, phaseKey: keys.startKey, now: now)
    if case .delayed(let due) = JobLifecycle.enqueue(new, at: keys.startIndex, dueBy: dueBy) {
      job.state = .delayed
      job.dueAt = due
    } else {
      job.place = try nextPlace(of: job)
    }
    try connection.statement(.insertJob)
      .bind(job.serial).bind(job.id.text).bind(Int(job.state.rawValue)).bind(job.phaseKey).bind(job.priority)
      .bind(job.place).bind(now).bind(job.dueAt).bind(job.size).run()
    guard connection.changes == 1 else {
      guard let there = try head(id: new.id) else { throw SQLiteFailure.unreadable("the index of ids is wrong") }
      return .duplicate(there.state)
    }
    try connection.statement(.insertInstructions).bind(job.serial).bind(new.instructions).run()
    if let due = job.dueAt { try enterDelayed(job, until: due) } else { try enterQueue(job) }
    tally.totals.lastSerial = job.serial
    tally.count(job, 1)
    return .stored
  }
}
