public import PipelineModel

extension MemoryJobStore {
  public func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    try requireOpen("cancel")
    guard let job = register[id] else { return nil }
    return (job.state, cancel(job, now: now))
  }

  /// - Returns: the lease that was broken.
  func cancel(_ job: MemoryJob, now: Timestamp) -> RunningJob? {
    let lease = job.running(keys)
    guard let move = JobLifecycle.cancel(job.standing(keys), lease: lease, now: now) else { return nil }
    withdraw(job)
    put(job, move, now: now)
    return lease
  }

  public func prune(
    _ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp
  ) throws(StoreError) -> Int {
    try requireOpen("prune")
    pruneMetrics(before: metricsBefore)
    var pruned = 0
    let deadBeyond = policy.maximumDead.map { phaseCounts.reduce(0) { $0 + $1.dead } - $0 } ?? 0
    while pruned < min(limit, deadBeyond), let oldest = dead.first() {
      remove(oldest)
      pruned += 1
    }
    while pruned < limit, let oldest = finished.first(), isBeyond(policy, oldest, now: now) {
      remove(oldest)
      pruned += 1
    }
    return pruned
  }

  /// Called in every turn, with an end that moves once a minute.
  private func pruneMetrics(before minute: Int64) {
    guard minute > metricsPrunedBefore || meters.count > metersAtPruning else { return }
    for old in meters.keys where old < minute { meters[old] = nil }
    (metricsPrunedBefore, metersAtPruning) = (minute, meters.count)
  }

  private func isBeyond(_ policy: RetentionPolicy, _ oldest: MemoryJob, now: Timestamp) -> Bool {
    succeededCount + cancelledCount > policy.maximumFinished || finishedBytes > policy.maximumBytes
      || now - oldest.updatedAt > policy.maximumAgeMilliseconds
  }

  func remove(_ job: MemoryJob) {
    withdraw(job)
    register.remove(job)
  }

  public func timelineOffset() throws(StoreError) -> Int64 {
    try requireOpen("timelineOffset")
    return keptTimelineOffset
  }

  public func setTimelineOffset(_ milliseconds: Int64) throws(StoreError) {
    try requireOpen("setTimelineOffset")
    keptTimelineOffset = milliseconds
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
