public import PipelineModel

/// Decides every move of a job. Pure: a store finds where the job stands, executes the move, and knows no policy.
///
/// When an attempt is tried again, and where a job goes that is done with a phase, is decided before (`RetryPolicy`,
/// `Plan`); what that does to the job is decided here alone.
public enum JobLifecycle {
  /// The end of a lease; nil where the job does not run under its token in its phase.
  /// - Parameter dueBy: what is to be retried by then waits, later it is delayed (`StoreTurn.promotionTime`).
  public static func settle(_ settlement: Settlement, of job: Standing, dueBy: Timestamp) -> Move? {
    guard job.state == .running, job.token == settlement.token, job.phase == settlement.from else { return nil }
    return move(settlement, job.counters, dueBy: dueBy)
  }

  /// The same for a store that looks by itself, as it makes the move, whether the job runs under the token in its phase.
  public static func move(by settlement: Settlement, dueBy: Timestamp) -> Move {
    move(settlement, settlement.counters, dueBy: dueBy)
  }

  /// A new job's place in its first phase.
  public static func enqueue(_ new: NewJob, at phase: Int, dueBy: Timestamp) -> Place {
    place(at: phase, notBefore: new.notBefore, dueBy: dueBy)
  }

  /// A delayed job's time has come; nil where it is not delayed.
  public static func promote(_ job: Standing) -> Move? {
    guard job.state == .delayed, let phase = job.phase else { return nil }
    return Move(to: .queue(phase, atFront: false), counters: job.counters)
  }

  /// The counters under a new lease.
  public static func claim(_ counters: JobCounters) -> JobCounters {
    var claimed = counters
    claimed.attempt += 1
    return claimed
  }

  /// Somebody takes the job out; nil where it is final already.
  /// - Parameter lease: of a running job. It is broken: the token is stale from then on.
  public static func cancel(_ job: Standing, lease: RunningJob?, now: Timestamp) -> Move? {
    guard !job.state.isFinal else { return nil }
    return Move(
      to: .finished(.cancelled), counters: job.counters, attempt: lease.map { .cancelled($0, now: now) })
  }

  /// Somebody puts the job back into its phase; nil for one that waits, runs or has succeeded, and for one whose phase is
  /// gone: it has no queue to go back to. A delayed one is due at once and is no nearer to its end; others begin anew.
  public static func requeue(_ job: Standing, with instructions: [UInt8]?) -> Move? {
    guard job.state.canBeRequeued, let phase = job.phase else { return nil }
    return Move(
      to: .queue(phase, atFront: false), counters: job.state == .delayed ? job.counters : .zero,
      instructions: instructions)
  }

  private static func move(_ settlement: Settlement, _ held: JobCounters, dueBy: Timestamp) -> Move {
    let attempt = settlement.attempt
    var counters = held
    if attempt == nil { counters.attempt = max(0, held.attempt - 1) }
    switch settlement.effect {
    case .advance(let next, let instructions):
      return Move(
        to: .queue(next, atFront: false), counters: .zero, instructions: instructions, attempt: attempt,
        error: .forgotten)
    case .succeed(let instructions):
      return Move(
        to: .finished(.succeeded), counters: JobCounters(attempt: counters.attempt, failures: 0, crashes: 0, losses: 0),
        instructions: instructions, attempt: attempt, error: .forgotten)
    case .retry(let due, let error):
      return failed(to: place(at: settlement.from, notBefore: due, dueBy: dueBy), counters, attempt, error)
    case .bury(let error): return failed(to: .finished(.dead), counters, attempt, error)
    case .cancel(let error): return failed(to: .finished(.cancelled), counters, attempt, error)
    case .toFront(let losses):
      if let losses { counters.losses = max(0, losses) }
      return Move(to: .queue(settlement.from, atFront: true), counters: counters, attempt: attempt)
    }
  }

  private static func failed(
    to place: Place, _ counters: JobCounters, _ attempt: AttemptRecord?, _ error: JobError
  ) -> Move {
    let counted = attempt.map { counters.counting($0.outcome) } ?? counters
    return Move(to: place, counters: counted, attempt: attempt, error: .replaced(error))
  }

  private static func place(at phase: Int, notBefore due: Timestamp?, dueBy: Timestamp) -> Place {
    guard let due, due > dueBy else { return .queue(phase, atFront: false) }
    return .delayed(until: due)
  }
}

/// Where a job is, as far as that decides where it can go.
public struct Standing: Hashable, Sendable {
  public var state: JobState
  /// Nil where the pipeline does not have it any more.
  public var phase: Int?
  /// Of the lease of a running job.
  public var token: LeaseToken?
  /// A running job's present attempt included.
  public var counters: JobCounters

  public init(state: JobState, phase: Int?, token: LeaseToken? = nil, counters: JobCounters) {
    self.state = state
    self.phase = phase
    self.token = token
    self.counters = counters
  }
}

/// Where a job can be put. Under a lease it comes by a claim alone.
public enum Place: Hashable, Sendable {
  /// At the end of its priority in the queue of a phase, or before all of it.
  case queue(Int, atFront: Bool)
  /// In the phase that it is in.
  case delayed(until: Timestamp)
  /// Succeeded, dead or cancelled.
  case finished(JobState)
}

/// A job's way from where it stands, in one atomic step: out of its place or its lease, and all of this.
public struct Move: Hashable, Sendable {
  public var to: Place
  /// All of them, from now on.
  public var counters: JobCounters
  /// Nil: as they are.
  public var instructions: [UInt8]?
  /// Goes into the timeline.
  public var attempt: AttemptRecord?
  public var error: ErrorChange

  public enum ErrorChange: Hashable, Sendable {
    case kept
    case replaced(JobError)
    case forgotten
  }

  public init(
    to: Place, counters: JobCounters, instructions: [UInt8]? = nil, attempt: AttemptRecord? = nil,
    error: ErrorChange = .kept
  ) {
    self.to = to
    self.counters = counters
    self.instructions = instructions
    self.attempt = attempt
    self.error = error
  }
}
