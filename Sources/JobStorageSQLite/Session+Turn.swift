internal import JobStorage
internal import PipelineModel

extension Session {
  func apply(_ turn: StoreTurn) throws(SQLiteFailure) -> StoreTurnResult {
    guard !turn.isEmpty else { return StoreTurnResult() }
    return try transaction(flushing: false) { () throws(SQLiteFailure) in
      let now = turn.now
      var result = StoreTurnResult()
      for completion in turn.completions { result.completions.append(try complete(completion, now: now)) }
      for failure in turn.failures { result.failures.append(try fail(failure, dueBy: turn.promotionTime, now: now)) }
      result.releases = try release(turn.releases, now: now)
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

  private func complete(_ completion: Completion, now: Timestamp) throws(SQLiteFailure) -> WriteOutcome {
    guard var job = holder(of: completion.token, completion.job) else { return .stale }
    try withdraw(&job)
    if let instructions = completion.instructions {
      try connection.statement(.replaceInstructions).bind(job.serial).bind(instructions).run()
      job.size = instructions.count
    }
    job.failures = 0
    job.crashes = 0
    job.losses = 0
    if job.hasError {
      try connection.statement(.deleteError).bind(job.serial).run()
      job.hasError = false
    }
    let attempt = kept(completion.attempt, of: job)
    guard let next = completion.nextPhase, let key = keys.key(ofIndex: next) else {
      try putFinished(&job, .succeeded, now: now, attempt: attempt)
      return .recorded
    }
    job.attempt = 0
    job.phaseKey = key
    try putWaiting(&job, now: now, attempt: attempt)
    return .recorded
  }

  private func fail(_ failure: Failure, dueBy: Timestamp, now: Timestamp) throws(SQLiteFailure) -> WriteOutcome {
    guard var job = holder(of: failure.token, failure.job) else { return .stale }
    try withdraw(&job)
    let error = failure.error
    try connection.statement(.writeError)
      .bind(job.serial).bind(error.type).bind(error.message).bind(error.location).bind(error.standardErrorTail).run()
    job.hasError = true
    switch failure.attempt.outcome {
    case .failed, .timedOut, .permanentFailure: job.failures += 1
    case .crashed: job.crashes += 1
    case .lost: job.losses += 1
    case .succeeded, .retryRequested, .cancelled, .handedBack: break
    }
    let attempt = kept(failure.attempt, of: job)
    switch failure.verdict {
    case .retry(let due): try putWaiting(&job, notBefore: due, dueBy: dueBy, now: now, attempt: attempt)
    case .bury: try putFinished(&job, .dead, now: now, attempt: attempt)
    case .cancel: try putFinished(&job, .cancelled, now: now, attempt: attempt)
    }
    return .recorded
  }

  private func release(_ releases: [Release], now: Timestamp) throws(SQLiteFailure) -> [WriteOutcome] {
    var released: [(job: JobHead, attempt: AttemptRecord?)] = []
    var outcomes: [WriteOutcome] = []
    for release in releases {
      guard var job = holder(of: release.token, release.job) else {
        outcomes.append(.stale)
        continue
      }
      try withdraw(&job)
      if release.attempt == nil { job.attempt -= 1 }
      if let losses = release.losses { job.losses = losses }
      released.append((job, release.attempt.map { kept($0, of: job) }))
      outcomes.append(.recorded)
    }
    // Backwards, so that the first of them ends up in front.
    for (job, attempt) in released.reversed() {
      var job = job
      try putWaiting(&job, now: now, atFront: true, attempt: attempt)
    }
    return outcomes
  }

  private func enqueue(_ new: NewJob, dueBy: Timestamp, now: Timestamp) throws(SQLiteFailure) -> EnqueueOutcome {
    var job = JobHead(new, serial: tally.totals.lastSerial + 1, phaseKey: keys.keys[0], now: now)
    if let due = new.notBefore, due > dueBy {
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

  private func holder(of token: LeaseToken, _ id: JobID) -> JobHead? {
    guard let lease = leases[token], lease.head.id == id else { return nil }
    return lease.head
  }

  /// With the key of its phase in place of the index.
  func kept(_ attempt: AttemptRecord, of job: JobHead) -> AttemptRecord {
    var kept = attempt
    kept.phase = keys.key(ofIndex: attempt.phase) ?? job.phaseKey
    return kept
  }
}
