// What a pipeline is asked about itself.

extension Verbs {
  /// Whether a coordinator is there, and which.
  public enum Ping: Verb {
    public typealias Arguments = NoArguments
    public typealias Answer = PingDocument
    public static let name = "ping"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }

  /// How the pipeline stands: its phases, workers and store.
  public enum Status: Verb {
    public typealias Arguments = NoArguments
    public typealias Answer = StatusDocument
    public static let name = "status"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }

  /// What was counted since the coordinator's start.
  public enum Totals: Verb {
    public typealias Arguments = NoArguments
    public typealias Answer = TotalsDocument
    public static let name = "totals"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }

  /// What each phase did in the last minutes.
  public enum Metrics: Verb {
    public struct Arguments: VerbArguments {
      /// How many, the present one included: 60 where nil, a week at most.
      public var minutes: Int?

      public init(minutes: Int? = nil) { self.minutes = minutes }

      private enum CodingKeys: String, CodingKey, CaseIterable { case minutes }
      public static let members = CodingKeys.allCases.map(\.rawValue)
    }
    public typealias Answer = MetricsDocument
    public static let name = "metrics"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }

  /// The metrics over time.
  public enum History: Verb {
    public struct Arguments: VerbArguments {
      /// How many, the present one included: 60 where nil, a week at most.
      public var minutes: Int?
      /// Minutes of a step: 1 where nil; more where there would be more than 1,440 steps.
      public var step: Int?

      public init(minutes: Int? = nil, step: Int? = nil) {
        self.minutes = minutes
        self.step = step
      }

      private enum CodingKeys: String, CodingKey, CaseIterable { case minutes, step }
      public static let members = CodingKeys.allCases.map(\.rawValue)
    }
    public typealias Answer = HistoryDocument
    public static let name = "history"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }

  /// What phases have logged, and which attempts did not succeed.
  public enum Logs: Verb {
    public struct Arguments: VerbArguments {
      /// Lines of this job.
      public var id: String?
      /// Lines of this phase: a job type.
      public var phase: String?
      /// The least: `debug`, `info`, `warning` or `error`.
      public var level: String?
      /// The `next` of the answer before; nil: the last lines.
      public var after: Int?
      /// 200 where nil, 1,000 at most.
      public var limit: Int?

      public init(
        id: String? = nil, phase: String? = nil, level: String? = nil, after: Int? = nil, limit: Int? = nil
      ) {
        self.id = id
        self.phase = phase
        self.level = level
        self.after = after
        self.limit = limit
      }

      private enum CodingKeys: String, CodingKey, CaseIterable { case id, phase, level, after, limit }
      public static let members = CodingKeys.allCases.map(\.rawValue)
    }
    public typealias Answer = LogsDocument
    public static let name = "logs"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }
}
