internal import JobStorage
internal import PipelineModel

/// An attempt that was given out: from the claim until its outcome is recorded.
struct Lease {
  let job: JobID
  let token: LeaseToken
  let phase: Int
  var worker: WorkerID
  /// The worker's, where it is there; it may have left since.
  var handle: LoadTable.Handle?
  let attempt: Int
  let failures: Int
  let crashes: Int
  /// See `JobCounters.losses`. Above zero the job is suspected of ending its workers, and runs alone.
  var losses = 0
  /// The worker said that it begins, and was answered. Only asked of a suspect.
  var hasBegun = false
  /// As the worker was given them; empty for what was taken over after a restart.
  var instructions: [UInt8] = []
  /// When it was given to the worker, or taken over from the store after a restart.
  var since: Instant
  /// The same by the wall clock.
  var sinceTime: Timestamp
  var stage: Stage = .out
  var recalled = false

  var counters: JobCounters { JobCounters(attempt: attempt, failures: failures, crashes: crashes, losses: losses) }

  enum Stage {
    /// A suspect that waits for a worker of its own.
    case parked
    /// The worker has it, or it is on the way there.
    case out
    /// Its outcome is being looked at, or in a turn that the store has not answered yet.
    case recording
  }
}
