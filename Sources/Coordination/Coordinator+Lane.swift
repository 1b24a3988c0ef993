internal import JobStorage
internal import PipelineModel

/// What the store's lane does next. Turns and everything else alternate, so that neither waits for long, and ownership is
/// kept whatever else there is.
extension Coordinator {
  /// Long tasks that go on bite by bite, one after the other.
  enum Bite: CaseIterable {
    /// For a store without a reader of its own.
    case read
    case action
    case prune

    var next: Bite {
      switch self {
      case .read: .action
      case .action: .prune
      case .prune: .read
      }
    }
  }

  /// How often an owner proves that it is alive, in milliseconds; a turn does so as well.
  static var ownershipInterval: Int64 { 500 }

  /// Gives the idle lane its next work.
  func advance(now: Moment, claiming: Bool = true) {
    guard !laneBusy, case .open = condition else { return }
    if now.instant >= keepOwnershipAt { return keepOwnership(now: now) }
    let turnCameFirst = turnComesNext
    if turnCameFirst, submitTurn(now: now, claiming: claiming) {
      turnComesNext = false
      return
    }
    turnComesNext = true
    if let errand = errands.popFirst() { return errand() }
    if mayBite, takeBite(now: now) {
      mayBite = false
      return
    }
    if !turnCameFirst, submitTurn(now: now, claiming: claiming) { turnComesNext = false }
  }

  /// Something would go on at once if the loop came round again.
  func hasBite(now: Moment) -> Bool {
    guard !laneBusy, case .open = condition else { return false }
    let reads = readsOnLane && mayRead(now: now)
    let changes = actions.hasNext && (turnOfLastStep == turnNumber || now.instant >= actions.restsUntil)
    return reads || changes || pruning.isDue(now: now.instant)
  }

  private func takeBite(now: Moment) -> Bool {
    guard hasBite(now: now) else { return false }
    for _ in Bite.allCases {
      defer { bite = bite.next }
      switch bite {
      case .read: if readOnLane(now: now) { return true }
      case .action: if stepOfAction(now: now) { return true }
      case .prune: if prune(now: now) { return true }
      }
    }
    return false
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
    keepOwnershipAt = now.instant + Self.ownershipInterval
    let wall = now.wall
    submit({ store throws(StoreError) in try store.keepOwnership(now: wall) }, then: { _ in })
  }
}
