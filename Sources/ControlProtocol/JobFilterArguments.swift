/// Which jobs are meant: those to which all that is named applies.
public struct JobFilterArguments: VerbArguments {
  public var id: String?
  /// Words as in `JobDocument.state`.
  public var states: [String]?
  /// A job type that stands in the pipeline once.
  public var phase: String?
  /// A part of the last error's type or message.
  public var error: String?
  public var idPrefix: String?
  /// Bounds of a job's last change, in milliseconds since 1970; both belong to it.
  public var sinceMs: Int64?
  public var untilMs: Int64?

  public init(
    id: String? = nil, states: [String]? = nil, phase: String? = nil, error: String? = nil, idPrefix: String? = nil,
    sinceMs: Int64? = nil, untilMs: Int64? = nil
  ) {
    self.id = id
    self.states = states
    self.phase = phase
    self.error = error
    self.idPrefix = idPrefix
    self.sinceMs = sinceMs
    self.untilMs = untilMs
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case id, states, phase, error
    case idPrefix = "id_prefix"
    case sinceMs = "since_ms"
    case untilMs = "until_ms"
  }

  public static let members = CodingKeys.allCases.map(\.rawValue)
}
