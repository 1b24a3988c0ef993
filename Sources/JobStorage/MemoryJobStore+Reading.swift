public import PipelineModel

extension MemoryJobStore {
  public func runningJobs() throws(StoreError) -> [RunningJob] {
    try requireOpen("runningJobs")
    return running.values.compactMap { $0.running(keys) }.sorted { $0.token < $1.token }
  }

  public func counts() throws(StoreError) -> StoreCounts {
    try requireOpen("counts")
    return StoreCounts(phases: keys.keys.map { phaseCounts[$0] }, succeeded: succeededCount, cancelled: cancelledCount)
  }

  public func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    try requireOpen("job")
    return register[id]?.record(keys)
  }

  public func jobs(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> JobPage {
    try requireOpen("jobs")
    var page = JobPage(jobs: [], next: nil)
    var before: UInt64?
    if let cursor {
      guard let serial = UInt64(cursor), String(serial) == cursor else { return page }
      before = serial
    }
    if let id = filter.id {
      guard limit > 0, let job = register[id], before.map({ job.serial < $0 }) ?? true else { return page }
      if filter.matches(job, keys) { page.jobs = [job.record(keys)] }
      return page
    }
    var last: UInt64?
    for (seen, job) in register.newestFirst(before: before).enumerated() {
      if page.jobs.count >= limit || seen == Self.jobsLookedAt {
        page.next = last.map { String($0) }
        break
      }
      if filter.matches(job, keys) { page.jobs.append(job.record(keys)) }
      last = job.serial
    }
    return page
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
    matches(id: job.id, state: job.state, phase: keys.shownIndex(ofKey: job.phaseKey)) && matches(error: job.error)
  }
}
