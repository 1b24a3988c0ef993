internal import PipelineModel

/// An attempt that was given out: from the claim until its outcome is recorded.
struct Flight {
  let job: JobID
  let token: LeaseToken
  let phase: Int
  let worker: WorkerID
  /// The worker's, where it is there; it may have left since.
  var place: SeatTable.Place?
  let attempt: Int
  let failures: Int
  let crashes: Int
  /// As the worker was given them; empty for what was taken over after a restart.
  var instructions: [UInt8] = []
  /// When it was given to the worker, or taken over from the store after a restart.
  let since: Timestamp
  var stage: Stage = .out
  var renewedAt: Timestamp
  var recalled = false

  enum Stage {
    /// The worker has it, or it is on the way there.
    case out
    /// Its outcome is in a turn that the store has not answered yet.
    case recording
  }
}
