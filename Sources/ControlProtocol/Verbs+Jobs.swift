// What a pipeline is asked about its jobs.

extension Verbs {
  /// One job by its id.
  public struct JobArguments: VerbArguments {
    public var id: String

    public init(id: String) { self.id = id }

    private enum CodingKeys: String, CodingKey, CaseIterable { case id }
    public static let members = CodingKeys.allCases.map(\.rawValue)

    public init(from decoder: any Decoder) throws {
      id = try decoder.container(keyedBy: CodingKeys.self).textIfNamed(.id)
    }
  }

  /// One job with its log. Its instructions follow the answer, and those before and after each change.
  public enum Job: Verb {
    public typealias Arguments = JobArguments
    public typealias Answer = JobDocument
    public static let name = "job"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }

  /// Jobs that match, newest first, page by page. Their instructions follow the answer.
  public enum Jobs: Verb {
    public struct Arguments: VerbArguments {
      public var filter: JobFilterArguments
      /// Part of the instructions as they are stored, byte for byte, of 256 bytes at most; nil: any.
      public var containing: String?
      /// The `next` of the page before.
      public var cursor: String?
      /// 50 where nil, 1,000 at most.
      public var limit: Int?

      public init(
        _ filter: JobFilterArguments = JobFilterArguments(), containing: String? = nil, cursor: String? = nil,
        limit: Int? = nil
      ) {
        self.filter = filter
        self.containing = containing
        self.cursor = cursor
        self.limit = limit
      }

      private enum CodingKeys: String, CodingKey, CaseIterable { case containing, cursor, limit }
      public static let members = JobFilterArguments.members + CodingKeys.allCases.map(\.rawValue)

      public init(from decoder: any Decoder) throws {
        filter = try JobFilterArguments(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        containing = try container.decodeIfPresent(String.self, forKey: .containing)
        cursor = try container.decodeIfPresent(String.self, forKey: .cursor)
        limit = try container.decodeIfPresent(Int.self, forKey: .limit)
      }

      public func encode(to encoder: any Encoder) throws {
        try filter.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(containing, forKey: .containing)
        try container.encodeIfPresent(cursor, forKey: .cursor)
        try container.encodeIfPresent(limit, forKey: .limit)
      }
    }
    public typealias Answer = JobsDocument
    public static let name = "jobs"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }

  /// How many jobs match.
  public enum Count: Verb {
    public typealias Arguments = JobFilterArguments
    public typealias Answer = CountDocument
    public static let name = "count"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
  }

  /// Where several jobs stand.
  public enum States: Verb {
    public struct Arguments: VerbArguments {
      public static let maximumIDs = 1_000
      public var ids: [String]

      /// - Parameter ids: at most `maximumIDs`.
      public init(ids: [String]) { self.ids = ids }

      private enum CodingKeys: String, CodingKey, CaseIterable { case ids }
      public static let members = CodingKeys.allCases.map(\.rawValue)

      public init(from decoder: any Decoder) throws {
        let named = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent([String].self, forKey: .ids)
        guard let named, named.count <= Self.maximumIDs else {
          throw VerbArgumentsError("'ids' must be a list of at most \(Self.maximumIDs) job ids")
        }
        ids = named
      }
    }
    public typealias Answer = StatesDocument
    public static let name = "states"
    public static let role = Role.viewer
    public static let effect = VerbEffect.looks
    /// The longest list of the longest ids, each byte of them escaped.
    public static let maximumArgumentBytes = 288 << 10
  }

  /// The end of a job, once it has ended. Its final instructions follow the answer.
  public enum Await: Verb {
    public typealias Arguments = JobArguments
    public typealias Answer = EndDocument
    public static let name = "await"
    public static let role = Role.client
    public static let effect = VerbEffect.looks
  }
}
