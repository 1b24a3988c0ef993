public import JobStorage
public import PipelineModel

extension ShelfStore {
  public func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    try requireOpen("cancel")
    guard let index = index(of: id) else { return nil }
    let was = jobs[index].record.state
    return (was, cancel(index, now))
  }

  public func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(StoreError) -> (was: JobState, step: ActionStep)? {
    try requireOpen("requeue")
    guard let index = index(of: id) else { return nil }
    let was = jobs[index].record.state
    var step = ActionStep()
    step.examined = 1
    requeue(index, with: instructions, now, &step)
    return (was, step)
  }

  public func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: String?, limit: Int, now: Timestamp
  ) throws(StoreError) -> ActionStep {
    try requireOpen("perform")
    var at = ActionCursor(upTo: lastSerial)
    if let cursor { at = try ActionCursor(cursor) }
    let states = filter.states(for: action)
    // The dead come back before the cancelled, whenever they were enqueued.
    let passes = action == .requeue ? states.map { [$0] } : [states]
    var step = ActionStep()
    while at.pass < passes.count {
      guard let index = jobs.firstIndex(where: { $0.serial > at.serial && $0.serial <= at.upTo }) else {
        at.pass += 1
        at.serial = 0
        continue
      }
      guard step.examined < limit else {
        step.next = at.text
        return step
      }
      step.examined += 1
      at.serial = jobs[index].serial
      guard passes[at.pass].contains(jobs[index].record.state), jobs[index].isMeant(by: filter, keys) else { continue }
      change(index, action, now, &step)
    }
    return step
  }

  public func prune(
    _ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp
  ) throws(StoreError) -> Int {
    try requireOpen("prune")
    meters.removeAll { $0.minute < metricsBefore }
    var pruned = 0
    while pruned < limit, let id = firstBeyond(policy, now) {
      jobs.removeAll { $0.record.id == id }
      pruned += 1
    }
    return pruned
  }

  private func firstBeyond(_ policy: RetentionPolicy, _ now: Timestamp) -> JobID? {
    let ended = jobs.filter { $0.record.state.isFinal }.sorted { $0.order < $1.order }.map(\.record)
    let dead = ended.filter { $0.state == .dead }
    if let limit = policy.maximumDead, dead.count > limit { return dead.first?.id }
    let finished = ended.filter { $0.state != .dead }
    guard let oldest = finished.first else { return nil }
    let bytes = finished.reduce(0) { $0 + $1.instructions.count }
    let isBeyond =
      finished.count > policy.maximumFinished || bytes > policy.maximumBytes
      || now - oldest.updatedAt > policy.maximumAgeMilliseconds
    return isBeyond ? oldest.id : nil
  }

  private func change(_ index: Int, _ action: FilterAction, _ now: Timestamp, _ step: inout ActionStep) {
    switch action {
    case .cancel:
      step.cancelled.append(jobs[index].record.id)
      if let lease = cancel(index, now) { step.broken.append(lease) }
    case .requeue: return requeue(index, with: nil, now, &step)
    case .delete: jobs.remove(at: index)
    }
    step.changed += 1
  }

  /// - Returns: the lease that was broken.
  private func cancel(_ index: Int, _ now: Timestamp) -> RunningJob? {
    let lease = jobs[index].running(keys)
    guard let move = JobLifecycle.cancel(jobs[index].standing(keys), lease: lease, now: now) else { return nil }
    make(move, of: index, now)
    return lease
  }

  private func requeue(_ index: Int, with instructions: [UInt8]?, _ now: Timestamp, _ step: inout ActionStep) {
    guard let move = JobLifecycle.requeue(jobs[index].standing(keys), with: instructions) else { return }
    make(move, of: index, now)
    step.requeued[keys.shownIndex(ofKey: jobs[index].record.phase), default: 0] += 1
    step.changed += 1
  }
}
