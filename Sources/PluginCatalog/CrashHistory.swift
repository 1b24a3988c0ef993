/// The crashes of one build of a plugin, and whether they are enough to stop trusting it. A pure value.
public struct CrashHistory: Hashable, Sendable, Codable {
  public struct Crash: Hashable, Sendable, Codable {
    public var job: String
    /// E.g. `SIGILL: Swift trap (fatalError, precondition, overflow)`.
    public var cause: String
    /// Milliseconds since 1970.
    public var at: Int64
  }

  /// Crashes further apart than this are no pattern.
  public static let windowMilliseconds: Int64 = 600_000
  /// One job that crashes again and again speaks against the job, not against the build.
  public static let defaultLimit = 3

  /// Within the window, the oldest first.
  public private(set) var crashes: [Crash] = []

  public init() {}

  /// - Parameter now: milliseconds since 1970.
  public mutating func add(job: String, cause: String, now: Int64) {
    crashes.removeAll { now - $0.at >= Self.windowMilliseconds }
    crashes.append(Crash(job: job, cause: cause, at: now))
    // Of one job the last crash says all; so a job in a crash loop cannot make the record grow.
    if let former = crashes.dropLast().lastIndex(where: { $0.job == job }) { crashes.remove(at: former) }
  }

  /// Jobs that crashed within the window.
  public var jobCount: Int { Set(crashes.map(\.job)).count }
}
