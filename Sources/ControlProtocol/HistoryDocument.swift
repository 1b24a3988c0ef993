/// The metrics in steps of some minutes, oldest first: the answer to `Verbs.History`. A step in which nothing happened is there
/// as well.
public struct HistoryDocument: Hashable, Codable, Sendable {
  /// What each phase did in some minutes.
  public struct Step: Hashable, Codable, Sendable {
    /// When it began, in milliseconds since 1970.
    public var atMs: Int64
    public var phases: [MetricsDocument.Phase]

    public init(
      atMs: Int64, phases: [MetricsDocument.Phase]
    ) {
      self.atMs = atMs
      self.phases = phases
    }

    private enum CodingKeys: String, CodingKey {
      case phases
      case atMs = "at_ms"
    }
  }

  /// The length of a step.
  public var stepMinutes: Int64
  public var steps: [Step]

  public init(
    stepMinutes: Int64, steps: [Step]
  ) {
    self.stepMinutes = stepMinutes
    self.steps = steps
  }

  private enum CodingKeys: String, CodingKey {
    case steps
    case stepMinutes = "step_minutes"
  }
}
