internal import PipelineModel

/// The long actions, whose step comes when, and who waits to hear of which. A pure value: the coordinator has the store take
/// the steps, and sends what it is told to send.
struct ActionRunner {
  /// Something to be sent to whoever asked for an action, or to have it stopped.
  struct Telling {
    var to: Requester
    var action: LongAction
    var what: What

    enum What: Hashable {
      /// It has ended soon enough to be answered like a short request.
      case end
      case failure
      /// It goes on in the background, or was stopped: how far it has come.
      case progress
    }
  }

  private var actions: LongActions
  private var waiting: [String: Requester] = [:]
  private var stopping: [(action: String, requester: Requester)] = []
  /// The action of which a step is on its way.
  private var stepInStore: String?
  /// Of the last step, to see whether turns went since.
  private var turnOfLastStep = 0

  init(now: Instant) { actions = LongActions(now: now) }

  subscript(id: String) -> LongAction? { actions[id] }

  var all: [LongAction] { actions.all }

  /// - Returns: false where too many run already.
  mutating func begin(_ action: LongAction, for requester: Requester) -> Bool {
    guard actions.begin(action) else { return false }
    waiting[action.id] = requester
    return true
  }

  /// Who waits for the action's end; nil: nobody, or it goes on in the background.
  func requester(of id: String) -> Requester? { waiting[id] }

  // MARK: - Steps

  /// A change could take a step now.
  /// - Parameter turn: the number of the turn that is being gathered.
  func isStepDue(turn: Int, now: Instant) -> Bool {
    actions.hasNext && (turnOfLastStep == turn || now >= actions.restsUntil)
  }

  /// When a step is due at the latest; nil where there is none to take.
  var nextStepAt: Instant? { actions.hasNext ? actions.restsUntil : nil }

  /// The change of which a step is to be taken now; nil where none is due.
  mutating func beginStep(turn: Int, now: Instant) -> LongAction? {
    guard let action = actions.next(now: now, isIdle: turnOfLastStep == turn) else { return nil }
    turnOfLastStep = turn
    stepInStore = action.id
    return action
  }

  /// - Parameter next: the cursor of the next step; nil at the end.
  mutating func stepEnded(
    _ id: String, changed: Int, examined: Int, next: String?, microseconds: Int64, now: Instant
  ) -> [Telling] {
    actions.took(id, changed: changed, examined: examined, next: next, microseconds: microseconds, now: now)
    return leaveStore(id, now: now)
  }

  /// A store that is away for a while holds up a change in the background; anything else ends the action.
  mutating func stepFailed(_ id: String, _ message: String, isTransient: Bool, now: Instant) -> [Telling] {
    if isTransient, let action = actions[id], action.isAnswered, action.verb != .count {
      actions.putBack(id)
    } else {
      actions.fail(id, message)
    }
    return leaveStore(id, now: now)
  }

  private mutating func leaveStore(_ id: String, now: Instant) -> [Telling] {
    if stepInStore == id { stepInStore = nil }
    return tell(id, now: now) + tellStopped(id, now: now)
  }

  // MARK: - Stopping

  mutating func stop(_ id: String, for requester: Requester, now: Instant) -> [Telling] {
    actions.stop(id)
    stopping.append((id, requester))
    return stepInStore == id ? [] : tellStopped(id, now: now)
  }

  /// Once no step is on its way, so that what is told is what was done.
  private mutating func tellStopped(_ id: String, now: Instant) -> [Telling] {
    guard let action = actions[id], action.state != .running else { return [] }
    let told = tell(id, now: now)
    let stopped = stopping.filter { $0.action == id }
    stopping.removeAll { $0.action == id }
    return told + stopped.map { Telling(to: $0.requester, action: action, what: .progress) }
  }

  // MARK: - Whoever waits

  /// What is to be said to those who have waited long enough.
  mutating func tellDue(now: Instant) -> [Telling] { waiting.keys.flatMap { tell($0, now: now) } }

  private mutating func tell(_ id: String, now: Instant) -> [Telling] {
    guard let action = actions[id], let requester = waiting[id] else { return [] }
    let what: Telling.What
    switch action.state {
    case .done: what = .end
    case .failed: what = .failure
    case .running where !actions.isLong(id, now: now): return []
    case .running, .stopped: what = .progress
    }
    waiting[id] = nil
    actions.noteAnswered(id)
    return [Telling(to: requester, action: action, what: what)]
  }

  /// Nobody is there any more to hear: what only looks ends, what changes jobs goes on.
  mutating func drop(_ route: [UInt8]) {
    for (id, requester) in waiting where requester.route == route {
      waiting[id] = nil
      if actions[id]?.verb == .count { actions.stop(id) }
    }
  }

  /// Everybody who waits for an answer.
  mutating func takeRequesters() -> [Requester] {
    defer { (waiting, stopping) = ([:], []) }
    return waiting.values + stopping.map(\.requester)
  }
}
