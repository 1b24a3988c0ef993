// What workers are told by way of the coordinator.

extension Verbs {
  /// Has workers finish what they run, and end.
  public enum Drain: Verb {
    public struct Arguments: VerbArguments {
      /// An id, or what stands in ids before a slash.
      public var worker: String

      public init(worker: String) { self.worker = worker }

      private enum CodingKeys: String, CodingKey, CaseIterable { case worker }
      public static let members = CodingKeys.allCases.map(\.rawValue)

      public init(from decoder: any Decoder) throws {
        worker = try decoder.container(keyedBy: CodingKeys.self).textIfNamed(.worker)
      }
    }
    public typealias Answer = DrainDocument
    public static let name = "drain"
    public static let role = Role.operator
    public static let effect = VerbEffect.changes
  }

  /// Lets a build run again that was quarantined for its crashes, wherever workers have it.
  public enum Release: Verb {
    public struct Arguments: VerbArguments {
      /// The first 6 to 64 digits of the build's SHA-256.
      public var plugin: String
      /// A job type; nil: every phase of the build.
      public var phase: String?

      public init(plugin: String, phase: String? = nil) {
        self.plugin = plugin
        self.phase = phase
      }

      private enum CodingKeys: String, CodingKey, CaseIterable { case plugin, phase }
      public static let members = CodingKeys.allCases.map(\.rawValue)

      public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        plugin = try container.textIfNamed(.plugin)
        phase = try container.decodeIfPresent(String.self, forKey: .phase)
      }
    }
    public typealias Answer = ReleaseDocument
    public static let name = "release"
    public static let role = Role.operator
    public static let effect = VerbEffect.changes
  }
}
