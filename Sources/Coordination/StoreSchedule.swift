internal import PipelineModel

/// What the store's executor does next. Turns and everything else alternate, so that neither waits for long, and ownership
/// is kept whatever else there is. A pure value: whoever asks tries the choices in their order, and tells which one began.
struct StoreSchedule {
  enum Work: Hashable {
    /// Proves that the owner is alive; a turn does so as well.
    case ownership
    case turn
    /// Something brief that a single request asked for.
    case task
    // Long tasks that go on bite by bite, one after the other:
    /// A read, for a store without a reader of its own.
    case read
    /// A step of an action on all jobs that match a filter.
    case action
    /// Removes some of the jobs beyond the limits.
    case prune

    var isBite: Bool { self == .read || self == .action || self == .prune }
  }

  /// How often an owner proves that it is alive, in milliseconds.
  static let ownershipInterval: Int64 = 500

  private static let bites: [[Work]] = [
    [.read, .action, .prune], [.action, .prune, .read], [.prune, .read, .action],
  ]
  private static let turnFirst: [[Work]] = bites.map { [.turn, .task] + $0 }
  private static let turnLast: [[Work]] = bites.map { [.task] + $0 + [.turn] }

  private static let turnThenTask: [Work] = [.turn, .task]
  private static let taskThenTurn: [Work] = [.task, .turn]

  private var ownershipIsDueAt: Instant
  private var turnComesNext = true
  /// Of `bites`: the one after the bite that was taken last goes first.
  private var firstBite = 0
  /// Long tasks go on by one bite in each step of the loop.
  private var mayBite = true

  init(now: Instant) { ownershipIsDueAt = now }

  /// What may begin, the most urgent first. Where there is nothing of it, the next one's turn has come.
  func choices(now: Instant) -> [Work] {
    if now >= ownershipIsDueAt { return [.ownership] }
    guard mayBite else { return turnComesNext ? Self.turnThenTask : Self.taskThenTurn }
    return turnComesNext ? Self.turnFirst[firstBite] : Self.turnLast[firstBite]
  }

  /// The loop comes round: long tasks may go on.
  mutating func beginStep() { mayBite = true }

  /// They go on no more, until the next step.
  mutating func endBites() { mayBite = false }

  /// - Parameter work: what began; nil where none of the choices did.
  mutating func noteBegun(_ work: Work?, now: Instant) {
    turnComesNext = work != .turn
    if work?.isBite == true { endBites() }
    switch work {
    case .ownership: noteOwnership(now: now)
    case .read: firstBite = 1
    case .action: firstBite = 2
    case .prune: firstBite = 0
    case .turn, .task, nil: break
    }
  }

  /// The store has taken something that only its owner may write.
  mutating func noteOwnership(now: Instant) { ownershipIsDueAt = now + Self.ownershipInterval }
}
