/// Answers about long actions.
struct ActionDocument: Encodable {
  var action: String
  var verb: String
  var state: String
  var changed: Int
  var examined: Int
  var startedAtMs: Int64
  var error: String?

  init(_ action: LongAction) {
    self.action = action.id
    verb = action.verb.name
    state = action.state.rawValue
    changed = action.changed
    examined = action.examined
    startedAtMs = action.startedAt.milliseconds
    error = action.error
  }
}

struct ActionsDocument: Encodable { var actions: [ActionDocument] }

struct CountDocument: Encodable {
  var count: Int
  /// There are more than those that were counted; false since counts run to their end.
  var more = false
}

/// `{"cancelled": n}` and the like; for a count with `more`.
struct EndedActionDocument: Encodable {
  private let action: LongAction

  init(_ action: LongAction) { self.action = action }

  func encode(to encoder: any Encoder) throws {
    if action.verb == .count { return try CountDocument(count: action.changed).encode(to: encoder) }
    try [action.verb.member: action.changed].encode(to: encoder)
  }
}
