public import JobStorage
import PipelineModel

extension ShelfStore {
  public func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    try requireOpen("apply")
    try turn.refuseUnknownPhases(keys, address: address)
    var result = StoreTurnResult()
    settle(turn, &result)
    result.enqueues = turn.enqueues.map { enqueue($0, turn) }
    if turn.promotionLimit > 0 { promote(turn, &result) }
    result.claims = turn.claims.map { claim($0, turn.now) }
    for metrics in turn.metrics { add(metrics) }
    return result
  }

  private func enqueue(_ new: NewJob, _ turn: StoreTurn) -> EnqueueOutcome {
    if let there = index(of: new.id) { return .duplicate(jobs[there].record.state) }
    lastSerial += 1
    jobs.append(ShelvedJob(new, serial: lastSerial, key: keys.keys[0], now: turn.now))
    put(jobs.count - 1, notBefore: new.notBefore, dueBy: turn.promotionTime, turn.now)
    return .stored
  }

  private func promote(_ turn: StoreTurn, _ result: inout StoreTurnResult) {
    let due = jobs.indices.filter { (jobs[$0].record.dueAt ?? .init(milliseconds: .max)) <= turn.promotionTime }
      .sorted { (jobs[$0].due, jobs[$0].serial) < (jobs[$1].due, jobs[$1].serial) }
    for place in due.prefix(turn.promotionLimit) {
      result.promoted[keys.shownIndex(ofKey: jobs[place].record.phase), default: 0] += 1
      put(place, .waiting, turn.now)
    }
    result.nextDue = jobs.compactMap(\.record.dueAt).min()
  }

  private func claim(_ claim: Claim, _ now: Timestamp) -> [ClaimedJob] {
    guard let key = keys.key(ofIndex: claim.phase) else { return [] }
    let queue = jobs.indices.filter { jobs[$0].record.state == .waiting && jobs[$0].record.phase == key }
      .sorted { (-jobs[$0].record.priority, jobs[$0].place) < (-jobs[$1].record.priority, jobs[$1].place) }
    return queue.prefix(claim.limit).map { place in
      lastToken += 1
      let token = LeaseToken(lastToken)
      put(place, .running, now)
      let before = jobs[place].record
      jobs[place].record.attempt += 1
      jobs[place].record.worker = claim.worker
      jobs[place].token = token
      return ClaimedJob(
        id: before.id, token: token, attempt: before.attempt + 1, failures: before.failures, crashes: before.crashes,
        losses: before.losses, instructions: before.instructions, queuedAt: jobs[place].queuedAt)
    }
  }

  private func add(_ metrics: PhaseMetrics) {
    guard let key = keys.key(ofIndex: metrics.phase) else { return }
    if let place = meters.firstIndex(where: { $0.minute == metrics.minute && $0.phase == key }) {
      meters[place].add(metrics)
    } else {
      var kept = metrics
      kept.phase = key
      meters.append(kept)
    }
  }

  func index(of id: JobID) -> Int? { jobs.firstIndex { $0.record.id == id } }

  /// Takes the job out of where it stands, and out of its lease, and puts it behind all others of the new state.
  func put(_ place: Int, _ state: JobState, _ now: Timestamp, atFront: Bool = false) {
    if atFront { firstPlace -= 1 } else { lastPlace += 1 }
    jobs[place].place = atFront ? firstPlace : lastPlace
    jobs[place].record.state = state
    jobs[place].record.updatedAt = now
    jobs[place].record.dueAt = nil
    jobs[place].record.worker = nil
    jobs[place].token = nil
    if state == .waiting { jobs[place].queuedAt = now }
  }

  func put(_ place: Int, notBefore due: Timestamp?, dueBy: Timestamp, _ now: Timestamp) {
    guard let due, due > dueBy else { return put(place, .waiting, now) }
    put(place, .delayed, now)
    jobs[place].record.dueAt = due
  }
}

extension ShelvedJob {
  fileprivate var due: Timestamp { record.dueAt ?? .init(milliseconds: .max) }
}
