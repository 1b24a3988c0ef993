import JobStorage
import PipelineModel

/// What becomes of jobs at the end of their leases.
extension ShelfStore {
  func settle(_ turn: StoreTurn, _ result: inout StoreTurnResult) {
    result.completions = turn.completions.map { complete($0, turn.now) }
    result.failures = turn.failures.map { fail($0, turn) }
    result.releases = release(turn.releases, turn.now)
  }

  private func complete(_ completion: Completion, _ now: Timestamp) -> WriteOutcome {
    guard let place = holder(completion.job, completion.token) else { return .stale }
    keep(completion.attempt, place)
    let attempt = jobs[place].record.attempt
    jobs[place].resetCounters()
    jobs[place].record.error = nil
    if let instructions = completion.instructions { jobs[place].record.instructions = instructions }
    if let next = completion.nextPhase, let key = keys.key(ofIndex: next) {
      jobs[place].record.phase = key
      put(place, .waiting, now)
    } else {
      jobs[place].record.attempt = attempt
      put(place, .succeeded, now)
    }
    return .recorded
  }

  private func fail(_ failure: Failure, _ turn: StoreTurn) -> WriteOutcome {
    guard let place = holder(failure.job, failure.token) else { return .stale }
    keep(failure.attempt, place)
    jobs[place].record.error = failure.error
    switch failure.attempt.outcome {
    case .failed, .timedOut, .permanentFailure: jobs[place].record.failures += 1
    case .crashed: jobs[place].record.crashes += 1
    case .lost: jobs[place].record.losses += 1
    default: break
    }
    switch failure.verdict {
    case .retry(let due): put(place, notBefore: due, dueBy: turn.promotionTime, turn.now)
    case .bury: put(place, .dead, turn.now)
    case .cancel: put(place, .cancelled, turn.now)
    }
    return .recorded
  }

  private func release(_ releases: [Release], _ now: Timestamp) -> [WriteOutcome] {
    var released: [Int] = []
    let outcomes = releases.map { release -> WriteOutcome in
      guard let place = holder(release.job, release.token), !released.contains(place) else { return .stale }
      if let attempt = release.attempt { keep(attempt, place) } else { jobs[place].record.attempt -= 1 }
      if let losses = release.losses { jobs[place].record.losses = losses }
      released.append(place)
      return .recorded
    }
    // Backwards, so that the first of them ends up in front.
    for place in released.reversed() { put(place, .waiting, now, atFront: true) }
    return outcomes
  }

  private func holder(_ id: JobID, _ token: LeaseToken) -> Int? {
    jobs.firstIndex { $0.record.id == id && $0.token == token }
  }

  private func keep(_ attempt: AttemptRecord, _ place: Int) {
    jobs[place].keep(attempt, key: keys.key(ofIndex: attempt.phase) ?? jobs[place].record.phase)
  }
}
