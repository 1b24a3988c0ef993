internal import PipelineModel

/// Every change of a job's state goes through `withdraw` (or the pop of a queue and `countOut`) and one of the `put`s,
/// so that counts and places cannot disagree.
extension MemoryJobStore {
  /// Takes the job out of wherever it stands.
  func withdraw(_ job: MemoryJob) {
    countOut(job)
    switch job.state {
    case .waiting: queues[job.phaseKey].noteTombstone(job)
    case .delayed: delays.noteTombstone()
    case .running: job.lease.map { running[$0.token] = nil }
    case .succeeded, .cancelled: finished.noteTombstone()
    case .dead: dead.noteTombstone()
    }
    job.lease = nil
    job.dueAt = nil
  }

  /// For a job that was popped from its line and so left no place behind.
  func countOut(_ job: MemoryJob) {
    job.place &+= 1
    count(job, -1)
  }

  /// What becomes of a job that was withdrawn.
  func put(_ job: MemoryJob, _ move: Move, now: Timestamp) {
    if let attempt = move.attempt { job.keep(attempt, phaseKey: keys.key(ofIndex: attempt.phase) ?? job.phaseKey) }
    if let instructions = move.instructions { job.instructions = instructions }
    switch move.error {
    case .kept: break
    case .replaced(let error): job.error = error
    case .forgotten: job.error = nil
    }
    job.counters = move.counters
    put(job, at: move.to, now: now)
  }

  func put(_ job: MemoryJob, at place: Place, now: Timestamp) {
    job.dueAt = nil
    switch place {
    case .queue(let phase, let atFront):
      job.phaseKey = keys.key(ofIndex: phase) ?? job.phaseKey
      enter(job, .waiting, now: now)
      job.queuedAt = now
      if atFront { queues[job.phaseKey].prepend(job) } else { queues[job.phaseKey].append(job) }
    case .delayed(let due):
      enter(job, .delayed, now: now)
      job.dueAt = due
      delays.insert(job, due: due)
    case .finished(let state):
      enter(job, state, now: now)
      if state == .dead { dead.append(job) } else { finished.append(job) }
    }
  }

  func putRunning(_ job: MemoryJob, under lease: MemoryJob.Lease) {
    enter(job, .running, now: lease.claimedAt)
    job.lease = lease
    running[lease.token] = job
  }

  private func enter(_ job: MemoryJob, _ state: JobState, now: Timestamp) {
    job.state = state
    job.updatedAt = now
    count(job, 1)
  }

  private func count(_ job: MemoryJob, _ change: Int) {
    switch job.state {
    case .waiting: phaseCounts[job.phaseKey].waiting += change
    case .delayed: phaseCounts[job.phaseKey].delayed += change
    case .running: phaseCounts[job.phaseKey].running += change
    case .dead: phaseCounts[job.phaseKey].dead += change
    case .succeeded: succeededCount += change
    case .cancelled: cancelledCount += change
    }
    switch job.state {
    case .dead: deadBytes += change * job.instructions.count
    case .succeeded, .cancelled: finishedBytes += change * job.instructions.count
    case .waiting, .delayed, .running: break
    }
  }
}
