public import PipelineModel

/// The answers to a `StoreTurn`; each array runs parallel to the turn's array of the same name.
public struct StoreTurnResult: Sendable {
  public var settlements: [WriteOutcome] = []
  public var enqueues: [EnqueueOutcome] = []
  /// Jobs that became due, counted by phase.
  public var promoted: [Int: Int] = [:]
  /// When the next delayed job becomes due; nil where there is none. Only set when the turn asked for promotion.
  public var nextDue: Timestamp?
  /// One array per claim, in queue order; shorter than the claim's limit where the queue ran out.
  public var claims: [[ClaimedJob]] = []

  public init() {}
}

/// What became of a write that carries a token.
public enum WriteOutcome: Hashable, Sendable {
  case recorded
  /// The job is not running under this token in this phase: it was given to somebody else, finished, cancelled or
  /// deleted. Nothing was changed.
  case stale
}

public enum EnqueueOutcome: Hashable, Sendable {
  case stored
  /// A job of this id is there already, in this state. Nothing was changed.
  case duplicate(JobState)
}

/// A job as it is handed to a worker.
public struct ClaimedJob: Hashable, Sendable {
  public var id: JobID
  public var token: LeaseToken
  /// 1-based count of the times the job was given to a worker in this phase, this one included.
  public var attempt: Int
  /// Earlier attempts in this phase that failed or timed out.
  public var failures: Int
  /// Earlier attempts in this phase that crashed.
  public var crashes: Int
  /// See `JobCounters.losses`.
  public var losses: Int
  public var instructions: [UInt8]
  /// When the job was put into this phase's queue; the wait is measured from here.
  public var queuedAt: Timestamp

  public init(
    id: JobID, token: LeaseToken, attempt: Int, failures: Int, crashes: Int, losses: Int = 0,
    instructions: [UInt8], queuedAt: Timestamp
  ) {
    self.id = id
    self.token = token
    self.attempt = attempt
    self.failures = failures
    self.crashes = crashes
    self.losses = losses
    self.instructions = instructions
    self.queuedAt = queuedAt
  }
}

/// A lease as the store knows it, for a coordinator that starts over on a store in use.
public struct RunningJob: Hashable, Sendable {
  public var id: JobID
  public var token: LeaseToken
  public var phase: Int
  public var worker: WorkerID
  public var attempt: Int
  public var failures: Int
  public var crashes: Int
  /// See `JobCounters.losses`.
  public var losses: Int
  public var claimedAt: Timestamp

  public init(
    id: JobID, token: LeaseToken, phase: Int, worker: WorkerID, attempt: Int, failures: Int, crashes: Int,
    losses: Int = 0, claimedAt: Timestamp
  ) {
    self.id = id
    self.token = token
    self.phase = phase
    self.worker = worker
    self.attempt = attempt
    self.failures = failures
    self.crashes = crashes
    self.losses = losses
    self.claimedAt = claimedAt
  }
}
