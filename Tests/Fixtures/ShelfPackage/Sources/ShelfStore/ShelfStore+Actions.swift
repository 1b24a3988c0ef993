public import JobStorage
public import PipelineModel

extension ShelfStore {
  public func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    try requireOpen("cancel")
    guard let place = index(of: id) else { return nil }
    let was = jobs[place].record.state
    return (was, was.isFinal ? nil : cancel(place, now))
  }

  public func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(StoreError) -> (was: JobState, step: ActionStep)? {
    try requireOpen("requeue")
    guard let place = index(of: id) else { return nil }
    let was = jobs[place].record.state
    var step = ActionStep()
    step.examined = 1
    if was.canBeRequeued { requeue(place, with: instructions, now, &step) }
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
      guard let place = jobs.firstIndex(where: { $0.serial > at.serial && $0.serial <= at.upTo }) else {
        at.pass += 1
        at.serial = 0
        continue
      }
      guard step.examined < limit else {
        step.next = at.text
        return step
      }
      step.examined += 1
      at.serial = jobs[place].serial
      guard passes[at.pass].contains(jobs[place].record.state), jobs[place].isMeant(by: filter, keys) else { continue }
      change(place, action, now, &step)
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
    let ended = jobs.filter { $0.record.state.isFinal }.sorted { $0.place < $1.place }.map(\.record)
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

  private func change(_ place: Int, _ action: FilterAction, _ now: Timestamp, _ step: inout ActionStep) {
    switch action {
    case .cancel:
      step.cancelled.append(jobs[place].record.id)
      if let lease = cancel(place, now) { step.broken.append(lease) }
    case .requeue: return requeue(place, with: nil, now, &step)
    case .delete: jobs.remove(at: place)
    }
    step.changed += 1
  }

  /// - Returns: the lease that was broken.
  private func cancel(_ place: Int, _ now: Timestamp) -> RunningJob? {
    let lease = jobs[place].running(keys)
    if let lease { jobs[place].keep(.cancelled(lease, now: now), key: jobs[place].record.phase) }
    put(place, .cancelled, now)
    return lease
  }

  private func requeue(_ place: Int, with instructions: [UInt8]?, _ now: Timestamp, _ step: inout ActionStep) {
    // A job whose phase is gone has no queue to go back to.
    guard let phase = keys.index(ofKey: jobs[place].record.phase) else { return }
    if jobs[place].record.state != .delayed { jobs[place].resetCounters() }
    if let instructions { jobs[place].record.instructions = instructions }
    put(place, .waiting, now)
    step.requeued[phase, default: 0] += 1
    step.changed += 1
  }
}
