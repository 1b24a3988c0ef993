internal import PipelineModel

extension MemoryJobStore {
  public func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    try requireOpen("apply")
    try turn.refuseUnknownPhases(keys, address: address)
    let now = turn.now
    var result = StoreTurnResult()
    result.settlements = settle(turn.settlements, dueBy: turn.promotionTime, now: now)
    result.enqueues = turn.enqueues.map { enqueue($0, dueBy: turn.promotionTime, now: now) }
    if turn.promotionLimit > 0 {
      result.promoted = promote(limit: turn.promotionLimit, dueBy: turn.promotionTime, now: now)
      result.nextDue = delays.nextDue()
    }
    result.claims = turn.claims.map { claim($0, now: now) }
    for metrics in turn.metrics { add(metrics) }
    return result
  }

  private func settle(_ settlements: [Settlement], dueBy: Timestamp, now: Timestamp) -> [WriteOutcome] {
    var toFront: [(job: MemoryJob, move: Move)] = []
    let outcomes = settlements.map { settlement -> WriteOutcome in
      guard let job = running[settlement.token], job.id == settlement.job,
        let move = JobLifecycle.settle(settlement, of: job.standing(keys), dueBy: dueBy)
      else { return .stale }
      withdraw(job)
      if settlement.effect.isToFront { toFront.append((job, move)) } else { put(job, move, now: now) }
      return .recorded
    }
    // Backwards, so that the first of them ends up in front.
    for (job, move) in toFront.reversed() { put(job, move, now: now) }
    return outcomes
  }

  private func enqueue(_ new: NewJob, dueBy: Timestamp, now: Timestamp) -> EnqueueOutcome {
    if let there = register[new.id] { return .duplicate(there.state) }
    let job = register.add(new, phaseKey: keys.startKey, now: now)
    put(job, at: JobLifecycle.enqueue(new, at: keys.startIndex, dueBy: dueBy), now: now)
    return .stored
  }

  private func promote(limit: Int, dueBy: Timestamp, now: Timestamp) -> [Int: Int] {
    var promoted: [Int: Int] = [:]
    for _ in 0..<limit {
      guard let job = delays.popFirst(dueBy: dueBy) else { break }
      let move = JobLifecycle.promote(job.standing(keys))
      countOut(job)
      if let move { put(job, move, now: now) }
      promoted[keys.shownIndex(ofKey: job.phaseKey), default: 0] += 1
    }
    return promoted
  }

  private func claim(_ claim: Claim, now: Timestamp) -> [ClaimedJob] {
    guard let key = keys.key(ofIndex: claim.phase) else { return [] }
    var claimed: [ClaimedJob] = []
    while claimed.count < claim.limit, let job = queues[key].popFirst() {
      countOut(job)
      job.counters = JobLifecycle.claim(job.counters)
      lastToken += 1
      let token = LeaseToken(lastToken)
      putRunning(job, under: .init(token: token, worker: claim.worker, claimedAt: now))
      claimed.append(
        ClaimedJob(
          id: job.id, token: token, attempt: job.counters.attempt, failures: job.counters.failures,
          crashes: job.counters.crashes, losses: job.counters.losses, instructions: job.instructions,
          queuedAt: job.queuedAt))
    }
    return claimed
  }

  private func add(_ metrics: PhaseMetrics) {
    guard let key = keys.key(ofIndex: metrics.phase) else { return }
    meters[metrics.minute, default: [:]][key, default: PhaseMetrics(minute: metrics.minute, phase: key)].add(metrics)
  }
}
