/// Where a job stands. docs/architecture.md has the diagram; the store is the one place that moves a job.
public enum JobState: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  /// In the queue of its phase.
  case waiting = 1
  /// Not before its time: enqueued with a delay, or backing off after a failed attempt.
  case delayed = 2
  /// Given to a worker under a lease.
  case running = 3
  /// Went through every phase. Final.
  case succeeded = 4
  /// Failed for good. Stays until somebody requeues or deletes it.
  case dead = 5
  /// Taken out by somebody. Final.
  case cancelled = 6

  /// The word used on the wire, in JSON and on pages.
  public var description: String {
    switch self {
    case .waiting: "waiting"
    case .delayed: "delayed"
    case .running: "running"
    case .succeeded: "succeeded"
    case .dead: "dead"
    case .cancelled: "cancelled"
    }
  }

  public init?(word: String) {
    guard let state = Self.allCases.first(where: { $0.description == word }) else { return nil }
    self = state
  }

  /// Nothing more will happen to the job by itself.
  public var isFinal: Bool { self == .succeeded || self == .dead || self == .cancelled }
}
