public import JobStorage
public import PipelineModel

extension ShelfStore {
  public func runningJobs() throws(StoreError) -> [RunningJob] {
    try requireOpen("runningJobs")
    return jobs.compactMap { $0.running(keys) }
  }

  public func counts() throws(StoreError) -> StoreCounts {
    try requireOpen("counts")
    return StoreCounts(
      phases: keys.keys.map { key in PhaseCounts(of: jobs.filter { $0.record.phase == key }) },
      succeeded: jobs.count { $0.record.state == .succeeded }, cancelled: jobs.count { $0.record.state == .cancelled },
      deadBytes: jobs.reduce(0) { $0 + ($1.record.state == .dead ? $1.record.instructions.count : 0) })
  }

  public func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    try requireOpen("job")
    return index(of: id).map { jobs[$0].shown(keys) }
  }

  public func states(of ids: [JobID]) throws(StoreError) -> [JobState?] {
    try requireOpen("states")
    return ids.map { id in index(of: id).map { jobs[$0].record.state } }
  }

  public func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    try requireOpen("jobs")
    var page = JobPage(jobs: [], next: nil)
    var bytes = 0
    page.next = try look(filter, after: cursor, limit: 10_000) { job in
      guard page.jobs.count < limit else { return false }
      guard page.jobs.isEmpty || bytes + job.record.instructions.count <= maximumBytes else { return false }
      bytes += job.record.instructions.count
      page.jobs.append(job.shown(keys))
      return true
    }.next
    return page
  }

  public func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    try requireOpen("count")
    var step = CountStep()
    (step.examined, step.next) = try look(filter, after: cursor, limit: limit) { _ in
      step.count += 1
      return true
    }
    return step
  }

  public func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    try requireOpen("metrics")
    return meters.compactMap { kept in
      guard range.contains(kept.minute), let index = keys.index(ofKey: kept.phase) else { return nil }
      var shown = kept
      shown.phase = index
      return shown
    }.sorted { ($0.minute, $0.phase) < ($1.minute, $1.phase) }
  }

  /// Hands the jobs that are meant to `take`, the newest first, until it refuses one or `limit` were looked at.
  private func look(
    _ filter: JobFilter, after cursor: String?, limit: Int, take: (ShelvedJob) -> Bool
  ) throws(StoreError) -> (examined: Int, next: String?) {
    var before = lastSerial + 1
    if let cursor {
      guard let serial = UInt64(cursor), String(serial) == cursor else {
        throw StoreError(.badCursor, operation: "jobs", message: "'\(cursor)' is no cursor that a page gave")
      }
      before = serial
    }
    var examined = 0
    for job in jobs.reversed() where job.serial < before {
      guard examined < limit else { return (examined, String(before)) }
      if job.isMeant(by: filter, keys), !take(job) { return (examined, String(before)) }
      examined += 1
      before = job.serial
    }
    return (examined, nil)
  }
}
