/// Who answers: the answer to `Verbs.Ping`.
public struct PingDocument: Hashable, Codable, Sendable {
  public var pipeline: String
  /// The coordinator's run: another one after each start.
  public var coordinator: String

  public init(
    pipeline: String, coordinator: String
  ) {
    self.pipeline = pipeline
    self.coordinator = coordinator
  }
}
