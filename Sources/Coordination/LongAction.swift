internal import DequeModule
internal import JobStorage
internal import PipelineModel

/// A verb that goes through all jobs which match a filter, step by step.
struct LongAction {
  enum Verb: Hashable {
    case change(FilterAction)
    case count

    var name: String {
      switch self {
      case .change(let action): action.rawValue
      case .count: "count"
      }
    }
  }

  enum State: String {
    case running, done, stopped, failed
  }

  let id: String
  let verb: Verb
  let filter: JobFilter
  let startedAt: Timestamp
  let began: Instant
  var state = State.running
  /// Jobs that were changed; for a count, those that match.
  var changed = 0
  var examined = 0
  var error: String?
  var cursor: String?
  var size = StepSize()
  /// Its answer was sent; what comes now happens in the background.
  var isAnswered = false
}

/// The long actions that run and the last ones that ended. A pure value.
struct LongActions {
  static let maximumRunning = 8
  static let remembered = 100
  /// Answered like a short request as long as this many jobs, and this many milliseconds, are not exceeded.
  static let changedAtOnce = 1_000
  static let patience: Int64 = 2_000

  private var actions: [String: LongAction] = [:]
  /// Oldest first.
  private var order: [String] = []
  /// Whose step comes next.
  private var turns: Deque<String> = []
  /// When a step may be taken again while turns go on.
  private var rest: Instant

  init(now: Instant) { rest = now }

  subscript(id: String) -> LongAction? { actions[id] }

  var all: [LongAction] { order.compactMap { actions[$0] } }

  var running: Int { actions.values.count { $0.state == .running } }

  /// - Returns: false where too many run already.
  mutating func begin(_ action: LongAction) -> Bool {
    guard running < Self.maximumRunning else { return false }
    actions[action.id] = action
    order.append(action.id)
    if action.verb != .count { turns.append(action.id) }
    forgetOldest()
    return true
  }

  private mutating func forgetOldest() {
    while order.count > Self.remembered, let index = order.firstIndex(where: { actions[$0]?.state != .running }) {
      actions[order.remove(at: index)] = nil
    }
  }

  /// The next change to take a step on the store's executor.
  /// - Parameter isIdle: no turn went since the last step, so nobody has to be left a share.
  mutating func next(now: Instant, isIdle: Bool) -> LongAction? {
    guard isIdle || now >= rest else { return nil }
    while let id = turns.popFirst() {
      if let action = actions[id], action.state == .running { return action }
    }
    return nil
  }

  var hasNext: Bool { !turns.isEmpty }

  /// When the next step may be taken while turns go on.
  var restsUntil: Instant { rest }

  /// A step was taken.
  /// - Parameter next: the cursor of the next one; nil at the end.
  mutating func took(
    _ id: String, changed: Int, examined: Int, next: String?, microseconds: Int64, now: Instant
  ) {
    // Turns have twice as long as the step took.
    rest = now + max(1, microseconds / 500)
    guard var action = actions[id] else { return }
    action.changed += changed
    action.examined += examined
    action.cursor = next
    action.size.note(examined: examined, microseconds: microseconds)
    if next == nil, action.state == .running { action.state = .done }
    actions[id] = action
    if action.state == .running, action.verb != .count { turns.append(id) }
  }

  /// A step could not be taken, for want of the store: it is tried again.
  mutating func putBack(_ id: String) {
    if actions[id]?.state == .running, !turns.contains(id) { turns.append(id) }
  }

  mutating func fail(_ id: String, _ error: String) {
    guard actions[id]?.state == .running else { return }
    actions[id]?.state = .failed
    actions[id]?.error = error
  }

  mutating func stop(_ id: String) {
    if actions[id]?.state == .running { actions[id]?.state = .stopped }
  }

  mutating func noteAnswered(_ id: String) { actions[id]?.isAnswered = true }

  /// Whether it has gone on for so long, or so far, that whoever asked is told of the action instead of its end.
  func isLong(_ id: String, now: Instant) -> Bool {
    guard let action = actions[id] else { return false }
    let isFar = action.verb != .count && action.changed > Self.changedAtOnce
    return isFar || now - action.began > Self.patience
  }
}
