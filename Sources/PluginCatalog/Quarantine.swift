import Glibc

/// Builds of plugins that crashed too often on this machine, known to all workers of one user by way of the state
/// folder. A build is its content: a changed file is another build, and free.
public struct Quarantine: Sendable {
  /// What is known about one build.
  public struct Record: Hashable, Sendable, Codable {
    public var sha256: String
    /// The file it was loaded from when it crashed last.
    public var file: String
    public var history: CrashHistory
    /// Milliseconds since 1970; nil while it may run.
    public var since: Int64?

    /// A clause such as `crashed on 3 jobs within 10 minutes, last by SIGABRT: …`.
    public var reason: String {
      "crashed on \(history.jobCount) jobs within 10 minutes, last by \(history.crashes.last?.cause ?? "an unknown cause")"
    }
  }

  private static let lockMilliseconds = 100

  private let folder: String

  public init(stateFolder: String = StateFolder.path()) { folder = stateFolder + "/quarantine" }

  /// The record of a build that is in quarantine; nil for one that may run.
  public func record(of sha256: String) -> Record? {
    guard let record = read(sha256), record.since != nil else { return nil }
    return record
  }

  /// Every build in quarantine, in no order.
  public func records() -> [Record] {
    guard let listing = opendir(folder) else { return [] }
    defer { closedir(listing) }
    return names(in: listing).filter { $0.hasSuffix(".json") }.compactMap { record(of: String($0.dropLast(5))) }
  }

  /// Writes a crash down.
  /// - Parameters:
  ///   - limit: jobs that may crash within the window before the build is put into quarantine.
  ///   - now: milliseconds since 1970.
  /// - Returns: the record where the build is in quarantine from now on, or was already.
  public func recordCrash(
    of sha256: String, file: String, job: String, cause: String, limit: Int, now: Int64
  ) -> Record? {
    exclusively {
      var record = read(sha256) ?? Record(sha256: sha256, file: file, history: CrashHistory())
      record.file = file
      record.history.add(job: job, cause: cause, now: now)
      if record.since == nil, record.history.jobCount >= limit { record.since = now }
      _ = StateFile.write(record, to: path(sha256))
      return record.since == nil ? nil : record
    }
  }

  /// Lets a build run again, with a clean record.
  /// - Returns: false where it was not in quarantine.
  public func release(_ sha256: String) -> Bool {
    exclusively {
      guard record(of: sha256) != nil else { return false }
      return unlink(path(sha256)) == 0
    }
  }

  private func path(_ sha256: String) -> String { "\(folder)/\(sha256).json" }
  private func read(_ sha256: String) -> Record? { StateFile.read(Record.self, at: path(sha256)) }

  /// Two workers that crash at once must both be counted; but one that was stopped in here must not stop the others, so
  /// the lock is gone without where it cannot be had.
  private func exclusively<Result>(_ body: () -> Result) -> Result {
    _ = StateFolder.make(folder)
    let lock = open("\(folder)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    defer { if lock >= 0 { close(lock) } }
    if lock >= 0 { _ = FileLock.take(lock, LOCK_EX, waitingUpTo: Self.lockMilliseconds) }
    return body()
  }
}
