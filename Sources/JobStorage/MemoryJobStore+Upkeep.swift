public import PipelineModel

extension MemoryJobStore {
  public func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    try requireOpen("cancel")
    guard let job = register[id] else { return nil }
    let was = job.state
    guard !was.isFinal else { return (was, nil) }
    let lease = job.running(keys)
    withdraw(job)
    putFinished(job, .cancelled, now: now)
    return (was, lease)
  }

  public func requeue(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> [Int: Int] {
    try requireOpen("requeue")
    var moved: [Int: Int] = [:]
    var room = limit
    for state in filter.requeueableStates where room > 0 {
      for job in requeueable(state, filter).prefix(room) {
        withdraw(job)
        if state != .delayed { job.resetCounters() }
        putWaiting(job, now: now)
        moved[keys.shownIndex(ofKey: job.phaseKey), default: 0] += 1
        room -= 1
      }
    }
    return moved
  }

  /// A cancelled job whose phase is gone has no queue to go back to.
  private func requeueable(_ state: JobState, _ filter: JobFilter) -> [MemoryJob] {
    let isMeant = { [keys] (job: MemoryJob) in
      job.state == state && keys.index(ofKey: job.phaseKey) != nil && filter.matches(job, keys)
    }
    if let id = filter.id { return [register[id]].compactMap(\.self).filter(isMeant) }
    guard state != .delayed else { return delays.jobs(where: isMeant) }
    return finished.jobs.filter(isMeant).sorted { $0.serial < $1.serial }
  }

  public func delete(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> Int {
    try requireOpen("delete")
    let isMeant = { [keys] (job: MemoryJob) in job.state != .running && filter.matches(job, keys) }
    let meant: [MemoryJob]
    if let id = filter.id {
      meant = [register[id]].compactMap(\.self).filter(isMeant)
    } else {
      meant = Array(register.oldestFirst.lazy.filter(isMeant).prefix(max(0, limit)))
    }
    let deleted = meant.prefix(max(0, limit))
    deleted.forEach(remove)
    return deleted.count
  }

  public func prune(
    _ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp
  ) throws(StoreError) -> Int {
    try requireOpen("prune")
    for minute in meters.keys where minute < metricsBefore { meters[minute] = nil }
    var pruned = 0
    while pruned < limit, let oldest = finished.first(), isBeyond(policy, oldest, now: now) {
      remove(oldest)
      pruned += 1
    }
    return pruned
  }

  private func isBeyond(_ policy: RetentionPolicy, _ oldest: MemoryJob, now: Timestamp) -> Bool {
    let count = phaseCounts.reduce(succeededCount + cancelledCount) { $0 + $1.dead }
    return count > policy.maximumFinished || finishedBytes > policy.maximumBytes
      || now - oldest.updatedAt > policy.maximumAgeMilliseconds
  }

  private func remove(_ job: MemoryJob) {
    withdraw(job)
    register.remove(job)
  }

  public func setPaused(_ paused: Bool, phase: Int?) throws(StoreError) {
    try requireOpen("setPaused")
    guard let phase else {
      isPipelinePaused = paused
      return
    }
    guard let key = keys.key(ofIndex: phase) else {
      throw StoreError(
        .misconfigured, operation: "setPaused",
        message: "\(address): phase \(phase) does not exist; the pipeline has \(keys.phaseCount)")
    }
    if paused { pausedKeys.insert(key) } else { pausedKeys.remove(key) }
  }
}
