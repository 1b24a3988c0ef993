internal import PipelineModel

/// What the store's lane does next. Turns and everything else alternate, so that neither waits for long, and ownership is
/// kept whatever else there is. A pure value: whoever asks tries the choices in their order, and tells which one began.
struct LaneSchedule {
  enum Work: Hashable {
    /// Proves that the owner is alive; a turn does so as well.
    case ownership
    case turn
    /// Something brief that a single request asked for.
    case errand
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
  private static let turnFirst: [[Work]] = bites.map { [.turn, .errand] + $0 }
  private static let turnLast: [[Work]] = bites.map { [.errand] + $0 + [.turn] }

  private var ownershipIsDueAt: Instant
  private var turnComesNext = true
  /// Of `bites`: the one after the bite that was taken last goes first.
  private var firstBite = 0

  init(now: Instant) { ownershipIsDueAt = now }

  /// What may begin, the most urgent first. Where there is nothing of it, the next one's turn has come.
  func choices(now: Instant) -> [Work] {
    if now >= ownershipIsDueAt { return [.ownership] }
    return turnComesNext ? Self.turnFirst[firstBite] : Self.turnLast[firstBite]
  }

  /// - Parameter work: what began; nil where none of the choices did.
  mutating func began(_ work: Work?, now: Instant) {
    turnComesNext = work != .turn
    switch work {
    case .ownership: noteOwnership(now: now)
    case .read: firstBite = 1
    case .action: firstBite = 2
    case .prune: firstBite = 0
    case .turn, .errand, nil: break
    }
  }

  /// The store has taken something that only its owner may write.
  mutating func noteOwnership(now: Instant) { ownershipIsDueAt = now + Self.ownershipInterval }
}
