public import JobStorage
public import PipelineModel

// Until this store has these of its own.
extension SQLiteJobStore {
  public func makeReader() throws(StoreError) -> (any JobReader)? { nil }

  public func states(of ids: [JobID]) throws(StoreError) -> [JobState?] {
    var states: [JobState?] = []
    for id in ids { states.append(try job(id)?.state) }
    return states
  }

  public func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    try jobs(matching: filter, after: cursor, limit: limit)
  }

  public func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    let page = try jobs(matching: filter, after: cursor, limit: limit)
    var step = CountStep()
    step.count = page.jobs.count
    step.examined = page.jobs.count
    step.next = page.next
    return step
  }

  public func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: String?, limit: Int, now: Timestamp
  ) throws(StoreError) -> ActionStep {
    var step = ActionStep()
    switch action {
    case .requeue:
      step.requeued = try requeue(matching: filter, limit: limit, now: now)
      step.changed = step.requeued.values.reduce(0, +)
    case .delete: step.changed = try delete(matching: filter, limit: limit, now: now)
    case .cancel:
      for job in try jobs(matching: filter, after: nil, limit: limit).jobs {
        guard let cancelled = try cancel(job.id, now: now), !cancelled.was.isFinal else { continue }
        if let lease = cancelled.lease { step.broken.append(lease) }
        step.cancelled.append(job.id)
        step.changed += 1
      }
    }
    return step
  }
}
