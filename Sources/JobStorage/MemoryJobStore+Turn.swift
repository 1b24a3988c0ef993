internal import PipelineModel

extension MemoryJobStore {
  public func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    try requireOpen("apply")
    try turn.refuseUnknownPhases(keys, address: address)
    let now = turn.now
    var result = StoreTurnResult()
    result.completions = turn.completions.map { complete($0, now: now) }
    result.failures = turn.failures.map { fail($0, dueBy: turn.promotionTime, now: now) }
    result.releases = release(turn.releases, now: now)
    result.enqueues = turn.enqueues.map { enqueue($0, dueBy: turn.promotionTime, now: now) }
    if turn.promotionLimit > 0 {
      result.promoted = promote(limit: turn.promotionLimit, dueBy: turn.promotionTime, now: now)
      result.nextDue = delays.nextDue()
    }
    result.claims = turn.claims.map { claim($0, now: now) }
    for metrics in turn.metrics { add(metrics) }
    return result
  }

  private func complete(_ completion: Completion, now: Timestamp) -> WriteOutcome {
    guard let job = holder(of: completion.token, completion.job) else { return .stale }
    withdraw(job)
    keep(completion.attempt, job)
    if let instructions = completion.instructions { job.instructions = instructions }
    job.failures = 0
    job.crashes = 0
    job.losses = 0
    job.error = nil
    guard let next = completion.nextPhase, let key = keys.key(ofIndex: next) else {
      putFinished(job, .succeeded, now: now)
      return .recorded
    }
    job.attempt = 0
    job.phaseKey = key
    putWaiting(job, now: now)
    return .recorded
  }

  private func fail(_ failure: Failure, dueBy: Timestamp, now: Timestamp) -> WriteOutcome {
    guard let job = holder(of: failure.token, failure.job) else { return .stale }
    withdraw(job)
    keep(failure.attempt, job)
    job.error = failure.error
    switch failure.attempt.outcome {
    case .failed, .timedOut, .permanentFailure: job.failures += 1
    case .crashed: job.crashes += 1
    case .lost: job.losses += 1
    case .succeeded, .retryRequested, .cancelled, .handedBack: break
    }
    switch failure.verdict {
    case .retry(let due): putWaiting(job, notBefore: due, dueBy: dueBy, now: now)
    case .bury: putFinished(job, .dead, now: now)
    case .cancel: putFinished(job, .cancelled, now: now)
    }
    return .recorded
  }

  private func release(_ releases: [Release], now: Timestamp) -> [WriteOutcome] {
    var released: [MemoryJob] = []
    let outcomes = releases.map { release -> WriteOutcome in
      guard let job = holder(of: release.token, release.job) else { return .stale }
      withdraw(job)
      if let attempt = release.attempt { keep(attempt, job) } else { job.attempt -= 1 }
      if let losses = release.losses { job.losses = losses }
      released.append(job)
      return .recorded
    }
    // Backwards, so that the first of them ends up in front.
    for job in released.reversed() { putWaiting(job, now: now, atFront: true) }
    return outcomes
  }

  private func enqueue(_ new: NewJob, dueBy: Timestamp, now: Timestamp) -> EnqueueOutcome {
    if let there = register[new.id] { return .duplicate(there.state) }
    let job = register.add(new, phaseKey: keys.keys[0], now: now)
    putWaiting(job, notBefore: new.notBefore, dueBy: dueBy, now: now)
    return .stored
  }

  private func promote(limit: Int, dueBy: Timestamp, now: Timestamp) -> [Int: Int] {
    var promoted: [Int: Int] = [:]
    for _ in 0..<limit {
      guard let job = delays.popFirst(dueBy: dueBy) else { break }
      countOut(job)
      putWaiting(job, now: now)
      promoted[keys.shownIndex(ofKey: job.phaseKey), default: 0] += 1
    }
    return promoted
  }

  private func claim(_ claim: Claim, now: Timestamp) -> [ClaimedJob] {
    guard let key = keys.key(ofIndex: claim.phase) else { return [] }
    var claimed: [ClaimedJob] = []
    while claimed.count < claim.limit, let job = queues[key].popFirst() {
      countOut(job)
      lastToken += 1
      let token = LeaseToken(lastToken)
      putRunning(job, under: .init(token: token, worker: claim.worker, claimedAt: now))
      claimed.append(
        ClaimedJob(
          id: job.id, token: token, attempt: job.attempt, failures: job.failures, crashes: job.crashes,
          losses: job.losses, instructions: job.instructions, queuedAt: job.queuedAt))
    }
    return claimed
  }

  private func add(_ metrics: PhaseMetrics) {
    guard let key = keys.key(ofIndex: metrics.phase) else { return }
    meters[metrics.minute, default: [:]][key, default: PhaseMetrics(minute: metrics.minute, phase: key)].add(metrics)
  }

  private func holder(of token: LeaseToken, _ id: JobID) -> MemoryJob? {
    guard let job = running[token], job.id == id else { return nil }
    return job
  }

  private func keep(_ attempt: AttemptRecord, _ job: MemoryJob) {
    job.keep(attempt, phaseKey: keys.key(ofIndex: attempt.phase) ?? job.phaseKey)
  }
}
