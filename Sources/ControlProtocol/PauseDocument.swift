/// What holds from now on: the answer to `Verbs.Pause` and `Verbs.Resume`.
public struct PauseDocument: Hashable, Codable, Sendable {
  public var paused: Bool

  public init(
    paused: Bool
  ) {
    self.paused = paused
  }
}
