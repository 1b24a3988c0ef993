/// An action: what is done to, or counted of, all jobs that match, step by step. The answer to `Verbs.Action` and
/// `Verbs.StopAction`.
public struct ActionDocument: Hashable, Codable, Sendable {
  /// Its id.
  public var action: String
  /// `cancel`, `requeue`, `delete` or `count`.
  public var verb: String
  /// `running`, `done`, `stopped` or `failed`.
  public var state: String
  /// Jobs that were changed; for a count, those that match.
  public var changed: Int
  /// Jobs that were looked at.
  public var examined: Int
  /// Milliseconds since 1970; nil where the coordinator does not say.
  public var startedAtMs: Int64?
  /// Why it failed.
  public var error: String?

  public init(
    action: String, verb: String, state: String, changed: Int, examined: Int, startedAtMs: Int64? = nil,
    error: String? = nil
  ) {
    self.action = action
    self.verb = verb
    self.state = state
    self.changed = changed
    self.examined = examined
    self.startedAtMs = startedAtMs
    self.error = error
  }

  private enum CodingKeys: String, CodingKey {
    case action, verb, state, changed, examined, error
    case startedAtMs = "started_at_ms"
  }
}

/// The last 100 actions, oldest first: the answer to `Verbs.Actions`.
public struct ActionsDocument: Hashable, Codable, Sendable {
  public var actions: [ActionDocument]

  public init(
    actions: [ActionDocument]
  ) {
    self.actions = actions
  }
}
