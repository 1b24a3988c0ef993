public import PipelineModel

/// Everything one turn of the event loop wants written and claimed, done in one round trip or one transaction.
///
/// Phases that the pipeline does not have are refused as `.misconfigured` before anything is written.
///
/// The order of work is fixed: owner check, completions, failures, releases, enqueues, promotion of delayed jobs that
/// are due, claims, metrics. So a claim can return a job that the same turn completed into that phase.
public struct StoreTurn: Sendable {
  /// The wall clock's time: what is recorded.
  public var now: Timestamp
  public var completions: [Completion] = []
  public var failures: [Failure] = []
  public var releases: [Release] = []
  public var enqueues: [NewJob] = []
  /// Moves up to this many delayed jobs whose time has come into their queues. Zero: does not look.
  public var promotionLimit = 0
  /// Jobs due by this moment are moved, and new ones and those to be retried are not delayed. Apart from `now`, since it must not jump where somebody sets the wall clock.
  public var promotionTime: Timestamp
  public var claims: [Claim] = []
  public var metrics: [PhaseMetrics] = []

  public init(now: Timestamp) {
    self.now = now
    promotionTime = now
  }

  public var isEmpty: Bool {
    completions.isEmpty && failures.isEmpty && releases.isEmpty && enqueues.isEmpty && promotionLimit == 0
      && claims.isEmpty && metrics.isEmpty
  }

  /// How many jobs and metrics it may touch: a measure of the work it is.
  public var itemCount: Int {
    completions.count + failures.count + releases.count + enqueues.count + metrics.count + promotionLimit
      + claims.reduce(0) { $0 + $1.limit }
  }
}

/// A job to be stored in the queue of the first phase.
public struct NewJob: Hashable, Sendable {
  public var id: JobID
  /// Larger goes first within a phase; equal ones go in the order they came. -8 to 7.
  public var priority: Int
  /// Nil: at once.
  public var notBefore: Timestamp?
  /// Opaque to the store: JSON text, or the zlib stream of one.
  public var instructions: [UInt8]

  public static let priorities = -8...7

  public init(id: JobID, priority: Int = 0, notBefore: Timestamp? = nil, instructions: [UInt8]) {
    self.id = id
    self.priority = min(max(priority, Self.priorities.lowerBound), Self.priorities.upperBound)
    self.notBefore = notBefore
    self.instructions = instructions
  }
}

/// "Phase done": one atomic step takes the job out of this phase and puts it into the queue of the next.
public struct Completion: Hashable, Sendable {
  public var job: JobID
  public var token: LeaseToken
  /// Replaces the job's instructions; nil leaves them as they are.
  public var instructions: [UInt8]?
  /// Nil: this was the last phase, the job has succeeded.
  public var nextPhase: Int?
  public var attempt: AttemptRecord

  public init(job: JobID, token: LeaseToken, instructions: [UInt8]?, nextPhase: Int?, attempt: AttemptRecord) {
    self.job = job
    self.token = token
    self.instructions = instructions
    self.nextPhase = nextPhase
    self.attempt = attempt
  }
}

/// An attempt that did not succeed, with the verdict already reached.
///
/// `attempt.outcome` says which counter of the job's phase grows: `.failed`, `.timedOut`, `.permanentFailure`: failures;
/// `.crashed`: crashes; `.lost`: losses; any other: none. Completing a phase sets all back to zero and forgets the error.
public struct Failure: Hashable, Sendable {
  public var job: JobID
  public var token: LeaseToken
  public var error: JobError
  public var verdict: RetryPolicy.Verdict
  public var attempt: AttemptRecord

  public init(
    job: JobID, token: LeaseToken, error: JobError, verdict: RetryPolicy.Verdict, attempt: AttemptRecord
  ) {
    self.job = job
    self.token = token
    self.error = error
    self.verdict = verdict
    self.attempt = attempt
  }
}

/// Puts a running job back at the front of its phase's queue: its worker went away, or gave it back.
public struct Release: Hashable, Sendable {
  public var job: JobID
  public var token: LeaseToken
  /// Nil where no attempt is known to have begun: then the timeline keeps nothing, and the attempt is not counted.
  public var attempt: AttemptRecord?
  /// The job's `losses` from now on; nil leaves them as they are. They go back to zero with a completed phase or a requeue.
  ///
  /// A job whose worker went away under it is suspected of having killed it, at first without proof, since others ran
  /// there as well: 1. From then on it runs alone, and each worker lost under it adds one.
  public var losses: Int?

  public init(job: JobID, token: LeaseToken, attempt: AttemptRecord?, losses: Int? = nil) {
    self.job = job
    self.token = token
    self.attempt = attempt
    self.losses = losses
  }
}

/// Asks for up to `limit` jobs of one phase for one worker. The leases it gives have no end of their own.
public struct Claim: Hashable, Sendable {
  public var phase: Int
  public var worker: WorkerID
  public var limit: Int

  public init(phase: Int, worker: WorkerID, limit: Int) {
    self.phase = phase
    self.worker = worker
    self.limit = limit
  }
}
