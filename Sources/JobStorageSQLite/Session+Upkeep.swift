internal import JobStorage
internal import PipelineModel

extension Session {
  func cancel(_ id: JobID, now: Timestamp) throws(SQLiteFailure) -> (was: JobState, lease: RunningJob?)? {
    guard var job = try head(id: id) else { return nil }
    let was = job.state
    guard !was.isFinal else { return (was, nil) }
    let lease = leases[serial: job.serial]?.running(keys)
    try transaction { () throws(SQLiteFailure) in
      try withdraw(&job)
      try putFinished(&job, .cancelled, now: now)
    }
    return (was, lease)
  }

  func requeue(matching filter: JobFilter, limit: Int, now: Timestamp) throws(SQLiteFailure) -> [Int: Int] {
    try transaction { () throws(SQLiteFailure) in
      var moved: [Int: Int] = [:]
      var room = limit
      for state in filter.states(for: .requeue) where room > 0 {
        for var job in try requeueable(state, filter, limit: room) {
          try withdraw(&job)
          if state != .delayed { job.resetCounters() }
          try putWaiting(&job, now: now)
          moved[keys.shownIndex(ofKey: job.phaseKey), default: 0] += 1
          room -= 1
        }
      }
      return moved
    }
  }

  private func requeueable(_ state: JobState, _ filter: JobFilter, limit: Int) throws(SQLiteFailure) -> [JobHead] {
    let isMeant = { [self] (job: JobHead) throws(SQLiteFailure) -> Bool in
      // A cancelled job whose phase is gone has no queue to go back to.
      guard job.state == state, keys.index(ofKey: job.phaseKey) != nil else { return false }
      return try self.isMeant(job, by: filter)
    }
    if let id = filter.id {
      guard let job = try head(id: id), try isMeant(job) else { return [] }
      return [job]
    }
    return try heads(
      state == .delayed ? .delayedJobs : .oldestFinishedInState, limit: limit, where: isMeant
    ) { if state != .delayed { $0.bind(Int(state.rawValue)) } }
  }

  func delete(matching filter: JobFilter, limit: Int) throws(SQLiteFailure) -> Int {
    guard limit > 0 else { return 0 }
    return try transaction { () throws(SQLiteFailure) in
      let deleted = try deletable(filter, limit: limit)
      for job in deleted { try remove(job) }
      return deleted.count
    }
  }

  /// The oldest first.
  private func deletable(_ filter: JobFilter, limit: Int) throws(SQLiteFailure) -> [JobHead] {
    var meant = filter
    meant.states = (filter.states ?? Set(JobState.allCases)).subtracting([.running])
    if let id = filter.id {
      guard let job = try head(id: id), try isMeant(job, by: meant) else { return [] }
      return [job]
    }
    guard let few = try fewCandidates(meant) else {
      return try heads(
        .oldestJobs, limit: limit, where: { (job) throws(SQLiteFailure) in try isMeant(job, by: meant) }, bind: { _ in }
      )
    }
    var jobs: [JobHead] = []
    for serial in few.sorted() where jobs.count < limit {
      if let job = try head(serial: serial), try isMeant(job, by: meant) { jobs.append(job) }
    }
    return jobs
  }

  func prune(_ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp) throws(SQLiteFailure) -> Int {
    try transaction { () throws(SQLiteFailure) in
      try connection.statement(.deleteMetrics).bind(metricsBefore).run()
      var pruned = 0
      while pruned < limit {
        let count = min(Self.prunedAtOnce, limit - pruned)
        let batch = try heads(.oldestFinished) { $0.bind(count) }
        for oldest in batch {
          guard isBeyond(policy, oldest, now: now) else { return pruned }
          try remove(oldest)
          pruned += 1
        }
        guard batch.count == count else { return pruned }
      }
      return pruned
    }
  }

  /// Few, since most calls find nothing to do.
  private static let prunedAtOnce = 200

  private func isBeyond(_ policy: RetentionPolicy, _ oldest: JobHead, now: Timestamp) -> Bool {
    tally.finishedCount > policy.maximumFinished || tally.totals.finishedBytes > policy.maximumBytes
      || now - oldest.updatedAt > policy.maximumAgeMilliseconds
  }

  private func remove(_ job: JobHead) throws(SQLiteFailure) {
    var job = job
    try withdraw(&job)
    for query in [Query.deleteJob, .deleteInstructions, .deleteError] {
      try connection.statement(query).bind(job.serial).run()
    }
  }
}
