internal import PipelineModel

/// A job of a `MemoryJobStore`. A class, so that queues can point at it and a move changes one place.
final class MemoryJob {
  let id: JobID
  /// Rises with each enqueue; the order of pages.
  let serial: UInt64
  let priority: Int
  let enqueuedAt: Timestamp
  var state = JobState.waiting
  var phaseKey: Int
  var counters = JobCounters.zero
  var instructions: [UInt8]
  var updatedAt: Timestamp
  var queuedAt: Timestamp
  var dueAt: Timestamp?
  var lease: Lease?
  var error: JobError?
  /// By phase key.
  private(set) var attempts: [AttemptRecord] = []
  /// Changes with every move: what stands in a queue under an older value is not there any more.
  var place: UInt64 = 0
  var isDeleted = false

  struct Lease {
    var token: LeaseToken
    var worker: WorkerID
    var claimedAt: Timestamp
  }

  init(_ new: NewJob, serial: UInt64, phaseKey: Int, now: Timestamp) {
    id = new.id
    self.serial = serial
    self.phaseKey = phaseKey
    priority = min(max(new.priority, NewJob.priorities.lowerBound), NewJob.priorities.upperBound)
    instructions = new.instructions
    enqueuedAt = now
    updatedAt = now
    queuedAt = now
  }

  func keep(_ attempt: AttemptRecord, phaseKey: Int) {
    var kept = attempt
    kept.phase = phaseKey
    if attempts.count == Self.attemptsKept { attempts.removeFirst() }
    attempts.append(kept)
  }

  func standing(_ keys: PhaseKeys) -> Standing {
    Standing(state: state, phase: keys.index(ofKey: phaseKey), token: lease?.token, counters: counters)
  }

  func record(_ keys: PhaseKeys) -> JobRecord {
    JobRecord(
      id: id, state: state, phase: keys.shownIndex(ofKey: phaseKey), priority: priority,
      attempt: counters.attempt, failures: counters.failures, crashes: counters.crashes, losses: counters.losses,
      instructions: instructions, enqueuedAt: enqueuedAt,
      updatedAt: updatedAt, dueAt: dueAt, worker: lease?.worker, error: error, attempts: keys.shown(attempts))
  }

  func running(_ keys: PhaseKeys) -> RunningJob? {
    guard let lease else { return nil }
    return RunningJob(
      id: id, token: lease.token, phase: keys.shownIndex(ofKey: phaseKey), worker: lease.worker,
      attempt: counters.attempt, failures: counters.failures, crashes: counters.crashes, losses: counters.losses,
      claimedAt: lease.claimedAt)
  }

  private static let attemptsKept = 100
}
