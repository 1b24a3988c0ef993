internal import JobStorage
internal import PipelineModel

/// What the store's executor is given: `StoreSchedule` decides what comes next.
extension Coordinator {
  /// Gives the idle executor its next work.
  func advance(now: Moment, claiming: Bool = true) {
    guard !executor.isBusy, isOpen else { return }
    let begun = schedule.choices(now: now.instant).first { begin($0, now: now, claiming: claiming) }
    schedule.noteBegun(begun, now: now.instant)
  }

  /// - Returns: false where there is nothing of it to do now.
  private func begin(_ work: StoreSchedule.Work, now: Moment, claiming: Bool) -> Bool {
    switch work {
    case .ownership: keepOwnership(now: now)
    case .turn: return submitTurn(now: now, claiming: claiming)
    case .task: return executor.beginTask()
    case .read: return readThroughStore()
    case .action: return stepOfAction(now: now)
    case .prune: return prune(now: now)
    }
    return true
  }

  /// Something would go on at once if the loop came round again.
  func hasBite(now: Moment) -> Bool {
    guard !executor.isBusy, isOpen else { return false }
    let changes = actions.isStepDue(turn: turns.number, now: now.instant)
    return queries.wantsTheStore || changes || pruning.isDue(now: now.instant)
  }

  /// Has the store do something brief between two turns.
  func run<Value>(
    _ work: @escaping (any JobStore) throws(StoreError) -> Value,
    then answer: @escaping (Result<Value, StoreError>) -> Void
  ) {
    executor.enqueue { [unowned self] in submit(work, then: answer) }
  }

  /// At once, on the idle executor.
  func submit<Value>(
    _ work: @escaping (any JobStore) throws(StoreError) -> Value,
    then answer: @escaping (Result<Value, StoreError>) -> Void
  ) {
    executor.submit(work) { [unowned self] result in
      answer(result)
      if case .failure(let error) = result { storeFailed(error, now: moment()) }
    }
  }

  private func keepOwnership(now: Moment) {
    let wall = now.wall
    submit({ store throws(StoreError) in try store.keepOwnership(now: wall) }, then: { _ in })
  }
}
