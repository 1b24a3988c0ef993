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

  /// Jobs that had crashed when an administrator let the build run again, and when that was. They speak against
  /// themselves: they are still there, crash again, and end dead by their own count of crashes.
  private var pardoned: [String: Int64] = [:]
  static let pardonMilliseconds: Int64 = 24 * 3_600_000
  static let maximumPardoned = 1_000

  public init() {}

  /// - Parameter now: milliseconds since 1970.
  public mutating func add(job: String, cause: String, now: Int64) {
    if let since = pardoned[job], (0..<Self.pardonMilliseconds).contains(now - since) { return }
    crashes.removeAll { now - $0.at >= Self.windowMilliseconds }
    crashes.append(Crash(job: job, cause: cause, at: now))
    // Of one job the last crash says all; so a job in a crash loop cannot make the record grow.
    if let former = crashes.dropLast().lastIndex(where: { $0.job == job }) { crashes.remove(at: former) }
  }

  /// Begins anew; the crashes of jobs that have crashed until now do not count any more.
  public mutating func pardon(now: Int64) {
    pardoned = pardoned.filter { (0..<Self.pardonMilliseconds).contains(now - $0.value) }
    for crash in crashes { pardoned[crash.job] = now }
    let excess = pardoned.count - Self.maximumPardoned
    guard excess > 0 else { return crashes = [] }
    for oldest in pardoned.sorted(by: { $0.value < $1.value }).prefix(excess) { pardoned[oldest.key] = nil }
    crashes = []
  }

  /// The jobs that crashed within the window, the one that crashed last at the end.
  public var jobs: [String] { crashes.map(\.job) }

  /// Jobs that crashed within the window.
  public var jobCount: Int { Set(crashes.map(\.job)).count }
}
