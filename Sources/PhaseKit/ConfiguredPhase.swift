internal import Glibc

/// A phase that takes settings: what `carbontube phase` was given by `--set` and `--settings`.
///
///     struct Greet: Phase, ConfiguredPhase {
///       static let jobType = "greet"
///       struct Settings: Decodable, Sendable { var greeting: String? }
///       let greeting: String
///       init(settings: Settings) throws { greeting = settings.greeting ?? "Hello" }
///       …
///     }
///
/// Passwords and tokens are better variables of the environment (`environmentVariable`).
public protocol ConfiguredPhase: AnyPhase {
  /// Members that it does not name are ignored, unless `settingsSchema` refuses them.
  associatedtype Settings: Decodable & Sendable

  /// Made once per child process, before the first job.
  /// - Throws: what is wrong; then the worker takes no jobs, and says why.
  init(settings: Settings) throws
}

extension ConfiguredPhase {
  /// With no settings; the host of a plugin calls `init(settings:)`. Traps where there must be some.
  public init() {
    do {
      self = try Self.configured(by: Array("{}".utf8))
    } catch {
      preconditionFailure("\(Self.self) needs settings: \(error)")
    }
  }

  /// - Parameter settings: a JSON object.
  static func configured(by settings: [UInt8]) throws -> Self {
    try Self(settings: try decodeSettings(Settings.self, from: settings))
  }
}

/// A variable of the environment of the plugin's process: one that the worker was given by `--env` or `--env-file`, or one
/// of the few that every plugin gets (PATH, HOME, TMPDIR, …). Nil where it is not set.
public func environmentVariable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
