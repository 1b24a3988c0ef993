/// States of jobs in the order they were asked for: the answer to `Verbs.States`.
public struct StatesDocument: Hashable, Codable, Sendable {
  /// As in `JobDocument.state`; nil for a job that is not there.
  public var states: [String?]

  public init(
    states: [String?]
  ) {
    self.states = states
  }
}
