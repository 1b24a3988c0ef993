public import PipelineModel

/// A job as it is kept.
public struct JobRecord: Hashable, Sendable {
  public var id: JobID
  public var state: JobState
  /// The phase it is in, or died in; for a succeeded job the last one.
  public var phase: Int
  public var priority: Int
  /// Counts within the present phase.
  public var attempt: Int
  public var failures: Int
  public var crashes: Int
  /// Zero for a job whose worker never went away under it; else one more than the losses that count (see `JobCounters`).
  public var losses: Int
  public var instructions: [UInt8]
  public var enqueuedAt: Timestamp
  public var updatedAt: Timestamp
  /// When a delayed job becomes due.
  public var dueAt: Timestamp?
  /// The holder of the lease of a running job.
  public var worker: WorkerID?
  /// The last error in the present phase; nil where none happened, and once the phase is done.
  public var error: JobError?
  /// Oldest first; the last 100 at most.
  public var attempts: [AttemptRecord]

  public init(
    id: JobID, state: JobState, phase: Int, priority: Int, attempt: Int, failures: Int, crashes: Int,
    losses: Int = 0, instructions: [UInt8], enqueuedAt: Timestamp, updatedAt: Timestamp, dueAt: Timestamp? = nil,
    worker: WorkerID? = nil, error: JobError? = nil, attempts: [AttemptRecord] = []
  ) {
    self.id = id
    self.state = state
    self.phase = phase
    self.priority = priority
    self.attempt = attempt
    self.failures = failures
    self.crashes = crashes
    self.losses = losses
    self.instructions = instructions
    self.enqueuedAt = enqueuedAt
    self.updatedAt = updatedAt
    self.dueAt = dueAt
    self.worker = worker
    self.error = error
    self.attempts = attempts
  }
}

/// Which jobs are meant. Every condition that is set must hold.
public struct JobFilter: Hashable, Sendable {
  /// This job alone.
  public var id: JobID?
  public var states: Set<JobState>?
  public var phase: Int?
  /// Case-sensitive part of the last error's type or message.
  public var errorContains: String?
  /// Case-sensitive start of the id.
  public var idPrefix: String?
  /// When the job has last changed (`JobRecord.updatedAt`), both ends included.
  public var changed: ClosedRange<Timestamp>?

  public init(
    id: JobID? = nil, states: Set<JobState>? = nil, phase: Int? = nil, errorContains: String? = nil,
    idPrefix: String? = nil, changed: ClosedRange<Timestamp>? = nil
  ) {
    self.id = id
    self.states = states
    self.phase = phase
    self.errorContains = errorContains
    self.idPrefix = idPrefix
    self.changed = changed
  }
}

/// A page of jobs, newest first.
public struct JobPage: Sendable {
  public var jobs: [JobRecord]
  /// Hand it to the next call; nil at the end. Opaque to the caller, 1 to 256 plain characters.
  public var next: String?

  public init(jobs: [JobRecord], next: String?) {
    self.jobs = jobs
    self.next = next
  }
}

/// How many jobs stand where. Kept by the store, never counted by a scan.
public struct StoreCounts: Hashable, Sendable {
  /// One per phase of the pipeline.
  public var phases: [PhaseCounts]
  public var succeeded: Int
  public var cancelled: Int
  /// Bytes of the instructions of all dead jobs.
  public var deadBytes: Int

  public init(phases: [PhaseCounts], succeeded: Int = 0, cancelled: Int = 0, deadBytes: Int = 0) {
    self.phases = phases
    self.succeeded = succeeded
    self.cancelled = cancelled
    self.deadBytes = deadBytes
  }
}

public struct PhaseCounts: Hashable, Sendable {
  public var waiting: Int
  public var delayed: Int
  public var running: Int
  public var dead: Int

  public init(waiting: Int = 0, delayed: Int = 0, running: Int = 0, dead: Int = 0) {
    self.waiting = waiting
    self.delayed = delayed
    self.running = running
    self.dead = dead
  }
}

/// How long jobs are kept that need nothing more. For succeeded and cancelled ones the first limit reached counts; dead
/// jobs wait for somebody to look at them and have a limit of their own.
public struct RetentionPolicy: Hashable, Sendable {
  /// Succeeded and cancelled jobs that are kept.
  public var maximumFinished: Int
  /// The age from which succeeded and cancelled jobs are removed.
  public var maximumAgeMilliseconds: Int64
  /// Over the instructions of all succeeded and cancelled jobs.
  public var maximumBytes: Int
  /// Dead jobs that are kept; the oldest beyond it are removed. Nil: all.
  public var maximumDead: Int?

  public init(
    maximumFinished: Int = 100_000, maximumAgeMilliseconds: Int64 = 7 * 86_400_000,
    maximumBytes: Int = 1 << 30, maximumDead: Int? = nil
  ) {
    self.maximumFinished = maximumFinished
    self.maximumAgeMilliseconds = maximumAgeMilliseconds
    self.maximumBytes = maximumBytes
    self.maximumDead = maximumDead
  }
}

/// What can be done to all jobs that match a filter.
public enum FilterAction: String, Hashable, Sendable, CaseIterable {
  case cancel, requeue, delete
}

/// What one step of a `FilterAction` did.
public struct ActionStep: Sendable {
  public var changed = 0
  /// Jobs it looked at.
  public var examined = 0
  /// Hand it to the next step; nil once all jobs were looked at. Opaque, 1 to 256 plain characters.
  public var next: String?
  /// Jobs that were put into a queue, by phase.
  public var requeued: [Int: Int] = [:]
  /// Leases of running jobs that were cancelled.
  public var broken: [RunningJob] = []
  /// Jobs that were cancelled, for those who wait for their end.
  public var cancelled: [JobID] = []

  public init() {}
}

/// What one step of counting found.
public struct CountStep: Hashable, Sendable {
  public var count = 0
  /// Jobs it looked at.
  public var examined = 0
  /// Hand it to the next step; nil once all jobs were looked at. Opaque, 1 to 256 plain characters.
  public var next: String?

  public init() {}
}
