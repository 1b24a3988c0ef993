public import PipelineModel

extension MemoryJobStore {
  public func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: String?, limit: Int, now: Timestamp
  ) throws(StoreError) -> ActionStep {
    try requireOpen(action.rawValue)
    let states = filter.states(for: action)
    if let id = filter.id {
      guard let job = register[id] else { return ActionStep() }
      var step = ActionStep()
      step.examined = 1
      if isMeant(job, states, filter) { change(job, action, now: now, &step) }
      return step
    }
    let start =
      try cursor.map { text throws(StoreError) in try ActionCursor(text) } ?? ActionCursor(upTo: register.lastSerial)
    // A requeue goes through the jobs once for each state, so that the dead come before the cancelled.
    let passes = action == .requeue ? states.map { [$0] } : [states]
    return walk(passes, from: start, filter, limit: limit) { job, step in change(job, action, now: now, &step) }
  }

  public func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(StoreError) -> (was: JobState, step: ActionStep)? {
    try requireOpen("requeue")
    guard let job = register[id] else { return nil }
    let was = job.state
    var step = ActionStep()
    step.examined = 1
    requeue(job, with: instructions, now: now, &step)
    return (was, step)
  }

  private func walk(
    _ passes: [[JobState]], from start: ActionCursor, _ filter: JobFilter, limit: Int,
    change: (MemoryJob, inout ActionStep) -> Void
  ) -> ActionStep {
    var step = ActionStep()
    var at = start
    while at.pass < passes.count {
      // Taken out before anything is changed: a change may sweep the register.
      for job in register.oldestFirst(after: at.serial, atMost: limit - step.examined + 1, upTo: at.upTo) {
        guard step.examined < limit else {
          step.next = at.text
          return step
        }
        step.examined += 1
        at.serial = job.serial
        if isMeant(job, passes[at.pass], filter) { change(job, &step) }
      }
      at.pass += 1
      at.serial = 0
    }
    return step
  }

  private func isMeant(_ job: MemoryJob, _ states: [JobState], _ filter: JobFilter) -> Bool {
    states.contains(job.state) && filter.matches(job, keys)
  }

  private func change(_ job: MemoryJob, _ action: FilterAction, now: Timestamp, _ step: inout ActionStep) {
    switch action {
    case .cancel:
      if let lease = cancel(job, now: now) { step.broken.append(lease) }
      step.cancelled.append(job.id)
    case .requeue: return requeue(job, with: nil, now: now, &step)
    case .delete: remove(job)
    }
    step.changed += 1
  }

  private func requeue(_ job: MemoryJob, with instructions: [UInt8]?, now: Timestamp, _ step: inout ActionStep) {
    guard let move = JobLifecycle.requeue(job.standing(keys), with: instructions) else { return }
    withdraw(job)
    put(job, move, now: now)
    step.requeued[keys.shownIndex(ofKey: job.phaseKey), default: 0] += 1
    step.changed += 1
  }
}
