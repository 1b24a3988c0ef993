/// How a job ended: the answer to `Verbs.Await`. Its final instructions are the payload behind it.
public struct EndDocument: Hashable, Codable, Sendable {
  public var id: String
  /// `succeeded`, `dead` or `cancelled`.
  public var state: String

  public init(
    id: String, state: String
  ) {
    self.id = id
    self.state = state
  }
}
