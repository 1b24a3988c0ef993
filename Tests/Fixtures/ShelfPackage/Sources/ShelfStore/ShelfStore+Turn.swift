public import JobStorage
import PipelineModel

extension ShelfStore {
  public func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    try requireOpen("apply")
    try turn.refuseUnknownPhases(keys, address: address)
    var result = StoreTurnResult()
    result.settlements = settle(turn)
    result.enqueues = turn.enqueues.map { enqueue($0, turn) }
    if turn.promotionLimit > 0 { promote(turn, &result) }
    result.claims = turn.claims.map { claim($0, turn.now) }
    for metrics in turn.metrics { add(metrics) }
    return result
  }

  private func settle(_ turn: StoreTurn) -> [WriteOutcome] {
    var toFront: [(index: Int, move: Move)] = []
    let outcomes = turn.settlements.map { settlement -> WriteOutcome in
      guard let index = index(of: settlement.job),
        let move = JobLifecycle.settle(settlement, of: jobs[index].standing(keys), dueBy: turn.promotionTime)
      else { return .stale }
      if settlement.effect.isToFront {
        jobs[index].endLease()
        toFront.append((index, move))
      } else {
        make(move, of: index, turn.now)
      }
      return .recorded
    }
    // Backwards, so that the first of them ends up in front.
    for (index, move) in toFront.reversed() { make(move, of: index, turn.now) }
    return outcomes
  }

  private func enqueue(_ new: NewJob, _ turn: StoreTurn) -> EnqueueOutcome {
    if let there = index(of: new.id) { return .duplicate(jobs[there].record.state) }
    lastSerial += 1
    jobs.append(ShelvedJob(new, serial: lastSerial, key: keys.startKey, now: turn.now))
    let place = JobLifecycle.enqueue(new, at: keys.startIndex, dueBy: turn.promotionTime)
    put(jobs.count - 1, at: place, turn.now)
    return .stored
  }

  private func promote(_ turn: StoreTurn, _ result: inout StoreTurnResult) {
    func due(_ index: Int) -> Timestamp { jobs[index].record.dueAt ?? Timestamp(milliseconds: .max) }
    let isDue = jobs.indices.filter { due($0) <= turn.promotionTime }
      .sorted { (due($0), jobs[$0].serial) < (due($1), jobs[$1].serial) }
    for index in isDue.prefix(turn.promotionLimit) {
      guard let move = JobLifecycle.promote(jobs[index].standing(keys)) else { continue }
      result.promoted[keys.shownIndex(ofKey: jobs[index].record.phase), default: 0] += 1
      make(move, of: index, turn.now)
    }
    result.nextDue = jobs.compactMap(\.record.dueAt).min()
  }

  private func claim(_ claim: Claim, _ now: Timestamp) -> [ClaimedJob] {
    guard let key = keys.key(ofIndex: claim.phase) else { return [] }
    let queue = jobs.indices.filter { jobs[$0].record.state == .waiting && jobs[$0].record.phase == key }
      .sorted { (-jobs[$0].record.priority, jobs[$0].order) < (-jobs[$1].record.priority, jobs[$1].order) }
    return queue.prefix(claim.limit).compactMap { index in
      lastToken += 1
      jobs[index].beginLease(LeaseToken(lastToken), claim.worker, now: now)
      return jobs[index].claimed
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
}

extension ShelfStore {
  func index(of id: JobID) -> Int? { jobs.firstIndex { $0.record.id == id } }

  /// Executes what `JobLifecycle` has decided.
  func make(_ move: Move, of index: Int, _ now: Timestamp) {
    jobs[index].note(move, keys)
    put(index, at: move.to, now)
  }

  /// Behind all others there, or before them where the place says so.
  func put(_ index: Int, at place: Place, _ now: Timestamp) {
    if case .queue(_, atFront: true) = place {
      firstOrder -= 1
      jobs[index].put(at: place, order: firstOrder, keys, now: now)
    } else {
      lastOrder += 1
      jobs[index].put(at: place, order: lastOrder, keys, now: now)
    }
  }
}
