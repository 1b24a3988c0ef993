public import PipelineModel

/// The end of a lease: what was learnt of an attempt, and what follows for the job. `JobLifecycle` makes a `Move` of it.
///
/// It is `.stale`, and changes nothing, unless the job runs under this token in this phase.
public struct Settlement: Hashable, Sendable {
  public var job: JobID
  public var token: LeaseToken
  /// The phase that the job was claimed in.
  public var from: Int
  /// As the claim gave them. Nobody changes them while the lease lasts, so whoever holds it knows them as well as the store.
  public var counters: JobCounters
  /// Nil where no attempt is known to have begun: then the timeline keeps nothing, and the attempt is not counted.
  public var attempt: AttemptRecord?
  public var effect: Effect

  public init(
    job: JobID, token: LeaseToken, from: Int, counters: JobCounters, attempt: AttemptRecord?, effect: Effect
  ) {
    self.job = job
    self.token = token
    self.from = from
    self.counters = counters
    self.attempt = attempt
    self.effect = effect
  }
}

/// What an attempt does to its job. One for each settlement, since a job can go but one way.
public enum Effect: Hashable, Sendable {
  /// The phase is done: into the queue of another one. Nil leaves the instructions as they are.
  case advance(to: Int, instructions: [UInt8]?)
  /// The last phase is done.
  case succeed(instructions: [UInt8]?)
  /// Another attempt in this phase, at once where the time is not ahead.
  case retry(at: Timestamp, JobError)
  /// It failed for good.
  case bury(JobError)
  case cancel(JobError)
  /// Back to the front of its phase's queue: its worker went away, or gave it back. Nil leaves `losses` as they are.
  case toFront(losses: Int?)

  public init(_ verdict: RetryPolicy.Verdict, on error: JobError) {
    self =
      switch verdict {
      case .retry(let time): .retry(at: time, error)
      case .bury: .bury(error)
      case .cancel: .cancel(error)
      }
  }

  /// What replaces the job's instructions; nil: nothing.
  public var instructions: [UInt8]? {
    switch self {
    case .advance(_, let instructions), .succeed(let instructions): instructions
    case .retry, .bury, .cancel, .toFront: nil
    }
  }

  /// Why the job's attempt did not succeed.
  public var error: JobError? {
    switch self {
    case .retry(_, let error), .bury(let error), .cancel(let error): error
    case .advance, .succeed, .toFront: nil
    }
  }

  /// The phase it leads to, where it is another one.
  public var destination: Int? {
    guard case .advance(let phase, _) = self else { return nil }
    return phase
  }

  public var isToFront: Bool {
    guard case .toFront = self else { return false }
    return true
  }
}

/// What is counted of a job within its present phase.
public struct JobCounters: Hashable, Sendable {
  /// Times it was given to a worker.
  public var attempt: Int
  /// Attempts that failed or timed out.
  public var failures: Int
  /// Attempts that crashed.
  public var crashes: Int
  /// A job whose worker went away under it is suspected of having killed it, at first without proof, since others ran
  /// there as well: 1. From then on it runs alone, and each worker lost under it adds one.
  public var losses: Int

  public static let zero = JobCounters(attempt: 0, failures: 0, crashes: 0, losses: 0)

  public init(attempt: Int, failures: Int, crashes: Int, losses: Int) {
    self.attempt = attempt
    self.failures = failures
    self.crashes = crashes
    self.losses = losses
  }

  /// After an attempt that ended so: a failure, a crash or a loss more, or none.
  public func counting(_ outcome: AttemptOutcome) -> JobCounters {
    var counted = self
    switch outcome {
    case .failed, .timedOut, .permanentFailure: counted.failures += 1
    case .crashed: counted.crashes += 1
    case .lost: counted.losses += 1
    case .succeeded, .retryRequested, .cancelled, .handedBack: break
    }
    return counted
  }
}

extension ClaimedJob {
  public var counters: JobCounters {
    JobCounters(attempt: attempt, failures: failures, crashes: crashes, losses: losses)
  }
}

extension RunningJob {
  public var counters: JobCounters {
    JobCounters(attempt: attempt, failures: failures, crashes: crashes, losses: losses)
  }
}
