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
  public var instructions: [UInt8]
  public var enqueuedAt: Timestamp
  public var updatedAt: Timestamp
  /// When a delayed job becomes due.
  public var dueAt: Timestamp?
  /// The holder of the lease of a running job.
  public var worker: WorkerID?
  /// The last error; nil where none happened yet.
  public var error: JobError?
  /// Oldest first; the last 100 at most.
  public var attempts: [AttemptRecord]

  public init(
    id: JobID, state: JobState, phase: Int, priority: Int, attempt: Int, failures: Int, crashes: Int,
    instructions: [UInt8], enqueuedAt: Timestamp, updatedAt: Timestamp, dueAt: Timestamp? = nil,
    worker: WorkerID? = nil, error: JobError? = nil, attempts: [AttemptRecord] = []
  ) {
    self.id = id
    self.state = state
    self.phase = phase
    self.priority = priority
    self.attempt = attempt
    self.failures = failures
    self.crashes = crashes
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

  public init(
    id: JobID? = nil, states: Set<JobState>? = nil, phase: Int? = nil, errorContains: String? = nil,
    idPrefix: String? = nil
  ) {
    self.id = id
    self.states = states
    self.phase = phase
    self.errorContains = errorContains
    self.idPrefix = idPrefix
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

  public init(phases: [PhaseCounts], succeeded: Int = 0, cancelled: Int = 0) {
    self.phases = phases
    self.succeeded = succeeded
    self.cancelled = cancelled
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

/// How long finished jobs (succeeded, cancelled, dead) are kept. The first limit reached counts.
public struct RetentionPolicy: Hashable, Sendable {
  public var maximumFinished: Int
  public var maximumAgeMilliseconds: Int64
  /// Over the instructions of all finished jobs.
  public var maximumBytes: Int

  public init(
    maximumFinished: Int = 100_000, maximumAgeMilliseconds: Int64 = 7 * 86_400_000,
    maximumBytes: Int = 1 << 30
  ) {
    self.maximumFinished = maximumFinished
    self.maximumAgeMilliseconds = maximumAgeMilliseconds
    self.maximumBytes = maximumBytes
  }
}
