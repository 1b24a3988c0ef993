/// What a phase counted or measured since the coordinator's start, by a name of its own.
public struct MeasureDocument: Hashable, Codable, Sendable {
  /// The `job_type`.
  public var phase: String
  public var name: String
  /// `counter` or `gauge`.
  public var kind: String
  /// What was counted, or where the gauge stood last; in the phase's own unit.
  public var value: Double
  /// Of gauges.
  public var lowest: Double?
  public var highest: Double?

  public init(
    phase: String, name: String, kind: String, value: Double, lowest: Double? = nil, highest: Double? = nil
  ) {
    self.phase = phase
    self.name = name
    self.kind = kind
    self.value = value
    self.lowest = lowest
    self.highest = highest
  }
}
