internal import PipelineModel

/// Every change of a job's state goes through `withdraw` (or the pop of a queue and `countOut`) and one of the `put`s,
/// so that counts and places cannot disagree.
extension MemoryJobStore {
  /// Takes the job out of wherever it stands.
  func withdraw(_ job: MemoryJob) {
    countOut(job)
    switch job.state {
    case .waiting: queues[job.phaseKey].noteLeft(job)
    case .delayed: delays.noteLeft()
    case .running: job.lease.map { running[$0.token] = nil }
    case .succeeded, .cancelled: finished.noteLeft()
    case .dead: dead.noteLeft()
    }
    job.lease = nil
    job.dueAt = nil
  }

  /// For a job that was popped from its line and so left no place behind.
  func countOut(_ job: MemoryJob) {
    job.place &+= 1
    count(job, -1)
  }

  func putWaiting(_ job: MemoryJob, now: Timestamp, atFront: Bool = false) {
    enter(job, .waiting, now: now)
    job.queuedAt = now
    job.dueAt = nil
    if atFront { queues[job.phaseKey].prepend(job) } else { queues[job.phaseKey].append(job) }
  }

  func putDelayed(_ job: MemoryJob, until due: Timestamp, now: Timestamp) {
    enter(job, .delayed, now: now)
    job.dueAt = due
    delays.insert(job, due: due)
  }

  func putWaiting(_ job: MemoryJob, notBefore due: Timestamp?, now: Timestamp) {
    if let due, due > now { putDelayed(job, until: due, now: now) } else { putWaiting(job, now: now) }
  }

  func putRunning(_ job: MemoryJob, under lease: MemoryJob.Lease) {
    enter(job, .running, now: lease.claimedAt)
    job.attempt += 1
    job.lease = lease
    running[lease.token] = job
  }

  func putFinished(_ job: MemoryJob, _ state: JobState, now: Timestamp) {
    enter(job, state, now: now)
    if state == .dead { dead.append(job) } else { finished.append(job) }
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
