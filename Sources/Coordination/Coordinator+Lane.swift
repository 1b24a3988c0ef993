internal import JobStorage
internal import PipelineModel

/// What the store's lane is given: `LaneSchedule` decides what comes next.
extension Coordinator {
  /// Gives the idle lane its next work.
  func advance(now: Moment, claiming: Bool = true) {
    guard !laneBusy, isOpen else { return }
    let begun = schedule.choices(now: now.instant).first { begin($0, now: now, claiming: claiming) }
    schedule.began(begun, now: now.instant)
  }

  /// - Returns: false where there is nothing of it to do now.
  private func begin(_ work: LaneSchedule.Work, now: Moment, claiming: Bool) -> Bool {
    switch work {
    case .ownership: keepOwnership(now: now)
    case .turn: return submitTurn(now: now, claiming: claiming)
    case .errand:
      guard let errand = errands.popFirst() else { return false }
      errand()
    case .read: return takeBite { readOnLane() }
    case .action: return takeBite { stepOfAction(now: now) }
    case .prune: return takeBite { prune(now: now) }
    }
    return true
  }

  /// Long tasks go on by one bite in each step of the loop.
  private func takeBite(_ bite: () -> Bool) -> Bool {
    guard mayBite, bite() else { return false }
    mayBite = false
    return true
  }

  /// Something would go on at once if the loop came round again.
  func hasBite(now: Moment) -> Bool {
    guard !laneBusy, isOpen else { return false }
    let changes = actions.hasNext && (turnOfLastStep == turns.number || now.instant >= actions.restsUntil)
    return queries.wantsTheStore || changes || pruning.isDue(now: now.instant)
  }

  /// Has the store do something brief between two turns.
  func run<Value>(
    _ work: @escaping (any JobStore) throws(StoreError) -> Value,
    then answer: @escaping (Result<Value, StoreError>) -> Void
  ) {
    errands.append { [unowned self] in submit(work, then: answer) }
  }

  /// At once, on the idle lane.
  func submit<Value>(
    _ work: @escaping (any JobStore) throws(StoreError) -> Value,
    then answer: @escaping (Result<Value, StoreError>) -> Void
  ) {
    laneBusy = true
    lane.submit(work) { [unowned self] result in
      laneBusy = false
      answer(result)
      if case .failure(let error) = result { storeFailed(error, now: moment()) }
    }
  }

  private func keepOwnership(now: Moment) {
    let wall = now.wall
    submit({ store throws(StoreError) in try store.keepOwnership(now: wall) }, then: { _ in })
  }
}
