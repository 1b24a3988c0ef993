internal import JobStorage
internal import PipelineModel

extension SQLiteSession {
  func cancel(_ id: JobID, now: Timestamp) throws(SQLiteFailure) -> (was: JobState, lease: RunningJob?)? {
    guard var job = try head(id: id) else { return nil }
    let was = job.state
    guard !was.isFinal else { return (was, nil) }
    return try transaction { () throws(SQLiteFailure) in (was, try cancel(&job, now: now)) }
  }

  /// - Returns: the lease that was broken.
  func cancel(_ job: inout JobHead, now: Timestamp) throws(SQLiteFailure) -> RunningJob? {
    let lease = leases[serial: job.serial]?.running(keys)
    guard let move = JobLifecycle.cancel(job.standing(keys, under: lease?.token), lease: lease, now: now) else {
      return nil
    }
    try withdraw(&job)
    try put(&job, move, now: now)
    return lease
  }

  /// Costs little where nothing is to go: it is called in every turn. It is not flushed, since what comes back after a loss
  /// of power goes again.
  func prune(_ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp) throws(SQLiteFailure) -> Int {
    let hasOldMetrics = try connection.statement(.oldestMetrics).first { $0.int64(0) < metricsBefore } ?? false
    let deadBeyond = min(policy.maximumDead.map { max(0, tally.deadCount - $0) } ?? 0, limit)
    let first = try oldestFinished(FinishedPlaces.other, limit: 1).first
    let hasFinished = limit > deadBeyond && first.map { isBeyond(policy, $0, now: now) } ?? false
    guard hasOldMetrics || deadBeyond > 0 || hasFinished else { return 0 }
    return try transaction(flushing: false) { () throws(SQLiteFailure) in
      if hasOldMetrics { try connection.statement(.deleteMetrics).bind(metricsBefore).run() }
      let dead = deadBeyond > 0 ? try prune(FinishedPlaces.dead, limit: deadBeyond) { _ in true } : 0
      guard hasFinished else { return dead }
      return try dead + prune(FinishedPlaces.other, limit: limit - dead) { isBeyond(policy, $0, now: now) }
    }
  }

  private func prune(
    _ places: ClosedRange<Int64>, limit: Int, while isBeyond: (JobHead) -> Bool
  ) throws(SQLiteFailure) -> Int {
    var pruned = 0
    while pruned < limit {
      let count = min(Self.prunedAtOnce, limit - pruned)
      let batch = try oldestFinished(places, limit: count)
      for oldest in batch {
        guard isBeyond(oldest) else { return pruned }
        try remove(oldest)
        pruned += 1
      }
      guard batch.count == count else { return pruned }
    }
    return pruned
  }

  private func oldestFinished(_ places: ClosedRange<Int64>, limit: Int) throws(SQLiteFailure) -> [JobHead] {
    try heads(.oldestFinished) { $0.bind(places.lowerBound).bind(places.upperBound).bind(limit) }
  }

  private static let prunedAtOnce = 200

  private func isBeyond(_ policy: RetentionPolicy, _ oldest: JobHead, now: Timestamp) -> Bool {
    tally.totals.succeeded + tally.totals.cancelled > policy.maximumFinished
      || tally.totals.finishedBytes > policy.maximumBytes || now - oldest.updatedAt > policy.maximumAgeMilliseconds
  }

  func remove(_ job: JobHead) throws(SQLiteFailure) {
    var job = job
    try withdraw(&job)
    for query in [Query.deleteJob, .deleteInstructions] {
      try connection.statement(query).bind(job.serial).run()
    }
    if job.hasError { try connection.statement(.deleteError).bind(job.serial).run() }
  }
}
