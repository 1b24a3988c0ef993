/// How one attempt of a job at one phase ended.
public enum AttemptOutcome: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  case succeeded = 1
  /// The phase said so; retried by the phase's policy.
  case failed = 2
  /// The phase said that the same input will fail again.
  case permanentFailure = 3
  /// The phase asked for another try at a time of its choice; does not count against its attempts.
  case retryRequested = 4
  /// The PluginHost child ended without a result: signal, `exit()`, resource limit.
  case crashed = 5
  /// Killed at the phase's timeout.
  case timedOut = 6
  case cancelled = 7
  /// The worker went away, or never received the job. Says nothing about the job.
  case lost = 8
  /// The worker gave the job back unfinished (drain, deadline of a drain, recall).
  case handedBack = 9

  public var description: String {
    switch self {
    case .succeeded: "succeeded"
    case .failed: "failed"
    case .permanentFailure: "permanent"
    case .retryRequested: "retry"
    case .crashed: "crashed"
    case .timedOut: "timeout"
    case .cancelled: "cancelled"
    case .lost: "lost"
    case .handedBack: "handed-back"
    }
  }

  public init?(word: String) {
    guard let outcome = Self.allCases.first(where: { $0.description == word }) else { return nil }
    self = outcome
  }
}

/// Why an attempt did not succeed, for people: kept with the job.
public struct JobError: Hashable, Sendable {
  /// A short class, e.g. `FileMissing` or `SIGILL`.
  public var type: String
  public var message: String
  /// Where in the author's code or in the system it happened; may be empty.
  public var location: String
  /// The last output of the child on stderr, at most 16 KiB; empty for orderly failures.
  public var standardErrorTail: String

  public init(type: String, message: String, location: String = "", standardErrorTail: String = "") {
    self.type = type
    self.message = message
    self.location = location
    self.standardErrorTail = standardErrorTail
  }

  /// Type and message as one clause. A crash names its signal in both.
  public var summary: String { message.hasPrefix("\(type): ") ? message : "\(type): \(message)" }
}

/// One attempt as it is kept in a job's timeline.
public struct AttemptRecord: Hashable, Sendable {
  /// Index into the pipeline's phases.
  public var phase: Int
  /// 1-based count of the times the job was given to a worker in this phase.
  public var number: Int
  public var worker: WorkerID
  /// First 12 hexadecimal digits of the SHA-256 of the plugin that ran it; empty where unknown.
  public var plugin: String
  /// Zero milliseconds where the attempt is not known to have begun.
  public var startedAt: Timestamp
  public var endedAt: Timestamp
  public var outcome: AttemptOutcome

  public init(
    phase: Int, number: Int, worker: WorkerID, plugin: String, startedAt: Timestamp, endedAt: Timestamp,
    outcome: AttemptOutcome
  ) {
    self.phase = phase
    self.number = number
    self.worker = worker
    self.plugin = plugin
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.outcome = outcome
  }
}
