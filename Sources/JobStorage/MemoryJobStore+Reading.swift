public import PipelineModel

extension MemoryJobStore {
  public func runningJobs() throws(StoreError) -> [RunningJob] {
    try requireOpen("runningJobs")
    return running.values.compactMap { $0.running(keys) }.sorted { $0.token < $1.token }
  }

  public func counts() throws(StoreError) -> StoreCounts {
    try requireOpen("counts")
    return StoreCounts(
      phases: keys.keys.map { phaseCounts[$0] }, succeeded: succeededCount, cancelled: cancelledCount,
      deadBytes: deadBytes)
  }

  public func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    try requireOpen("job")
    return register[id]?.record(keys)
  }

  public func states(of ids: [JobID]) throws(StoreError) -> [JobState?] {
    try requireOpen("states")
    return ids.map { register[$0]?.state }
  }

  public func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    try requireOpen("jobs")
    var page = JobPage(jobs: [], next: nil)
    var bytes = 0
    page.next = try look(through: filter, after: cursor, limit: Self.jobsLookedAt) { job in
      guard page.jobs.count < limit, page.jobs.isEmpty || bytes + job.instructions.count <= maximumBytes else {
        return false
      }
      bytes += job.instructions.count
      page.jobs.append(job.record(keys))
      return true
    }.next
    return page
  }

  public func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    try requireOpen("count")
    var step = CountStep()
    let end = try look(through: filter, after: cursor, limit: limit) { _ in
      step.count += 1
      return true
    }
    (step.examined, step.next) = (end.examined, end.next)
    return step
  }

  /// Hands the jobs that match to `take`, the newest first, until it refuses one or `limit` were looked at.
  private func look(
    through filter: JobFilter, after cursor: String?, limit: Int, take: (MemoryJob) -> Bool
  ) throws(StoreError) -> (examined: Int, next: String?) {
    let before = try cursor.map { text throws(StoreError) in try serial(of: text) }
    if let id = filter.id {
      guard let job = register[id], before.map({ job.serial < $0 }) ?? true else { return (0, nil) }
      if filter.matches(job, keys) { _ = take(job) }
      return (1, nil)
    }
    var examined = 0
    var last: UInt64?
    for job in register.newestFirst(before: before) {
      if examined == limit || (filter.matches(job, keys) && !take(job)) {
        // Nothing was looked at: the page begins where it was asked to.
        return (examined, last.map { String($0) } ?? String(job.serial + 1))
      }
      examined += 1
      last = job.serial
    }
    return (examined, nil)
  }

  private func serial(of cursor: String) throws(StoreError) -> UInt64 {
    guard let serial = UInt64(cursor), String(serial) == cursor else {
      throw StoreError(.badCursor, operation: "jobs", message: "'\(cursor)' is no cursor that a page gave")
    }
    return serial
  }

  public func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) {
    try requireOpen("paused")
    return (isPipelinePaused, Set(pausedKeys.compactMap(keys.index(ofKey:))))
  }

  public func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    try requireOpen("metrics")
    return meters.keys.filter(range.contains).sorted().flatMap { minute in
      (meters[minute] ?? [:]).values.compactMap { kept in
        guard let index = keys.index(ofKey: kept.phase) else { return nil }
        var shown = kept
        shown.phase = index
        return shown
      }.sorted { $0.phase < $1.phase }
    }
  }

  /// Bounds the time of one page: this store is asked in the event loop itself.
  private static let jobsLookedAt = 10_000
}

extension JobFilter {
  func matches(_ job: MemoryJob, _ keys: PhaseKeys) -> Bool {
    matches(id: job.id, state: job.state, phase: keys.shownIndex(ofKey: job.phaseKey))
      && matches(updatedAt: job.updatedAt) && matches(error: job.error)
  }
}
