import Glibc
import HostSupervision

/// Phases of builds of plugins that crashed too often on this machine, known to all workers of one user by way of the state
/// folder. A build is its content: a changed file is another build, and free. Other phases of the same build go on.
public struct Quarantine: Sendable {
  /// What is known about one phase of one build.
  public struct Record: Hashable, Sendable, Codable {
    public var sha256: String
    public var jobType: String
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

  /// The record of a phase that is in quarantine; nil for one that may run.
  public func record(of sha256: String, _ jobType: String) -> Record? {
    guard let record = read(sha256, jobType), record.since != nil else { return nil }
    return record
  }

  /// The phases of a build that are in quarantine, by name.
  public func records(of sha256: String) -> [Record] {
    records().filter { $0.sha256 == sha256 }.sorted { $0.jobType < $1.jobType }
  }

  /// Everything in quarantine, in no order.
  public func records() -> [Record] {
    guard let listing = opendir(folder) else { return [] }
    defer { closedir(listing) }
    return names(in: listing).filter { $0.hasSuffix(".json") }
      .compactMap { StateFile.read(Record.self, at: "\(folder)/\($0)") }.filter { $0.since != nil }
  }

  /// Writes a crash down.
  /// - Parameters:
  ///   - limit: jobs that may crash within the window before the phase is put into quarantine.
  ///   - now: milliseconds since 1970.
  /// - Returns: the record where the phase is in quarantine from now on, or was already.
  public func recordCrash(
    of sha256: String, _ jobType: String, file: String, job: String, cause: String, limit: Int, now: Int64
  ) -> Record? {
    exclusively {
      var record =
        read(sha256, jobType) ?? Record(sha256: sha256, jobType: jobType, file: file, history: CrashHistory())
      record.file = file
      record.history.add(job: job, cause: cause, now: now)
      if record.since == nil, record.history.jobCount >= limit { record.since = now }
      _ = StateFile.write(record, to: path(sha256, jobType))
      return record.since == nil ? nil : record
    }
  }

  /// Lets a phase run again. The jobs that crashed do not count against it any more: they are likely to be there still.
  /// - Parameters:
  ///   - jobType: nil: each phase of the build that is in quarantine.
  ///   - now: milliseconds since 1970.
  /// - Returns: what was released, as it was; empty where nothing was in quarantine, or it could not be written down.
  public func release(_ sha256: String, jobType: String? = nil, now: Int64) -> [Record] {
    exclusively {
      records(of: sha256).filter { jobType == nil || $0.jobType == jobType }.filter { record in
        var released = record
        released.since = nil
        released.history.pardon(now: now)
        return StateFile.write(released, to: path(sha256, record.jobType))
      }
    }
  }

  private func path(_ sha256: String, _ jobType: String) -> String { "\(folder)/\(sha256)-\(jobType).json" }
  private func read(_ sha256: String, _ jobType: String) -> Record? {
    StateFile.read(Record.self, at: path(sha256, jobType))
  }

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
