internal import JobStorage
internal import PipelineModel

extension SQLiteSession {
  /// One step, in one transaction.
  func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: ActionCursor?, limit: Int, now: Timestamp
  ) throws(SQLiteFailure) -> ActionStep {
    let states = filter.states(for: action)
    // A requeue goes through the jobs once for each state, so that the dead come before the cancelled.
    let passes = action == .requeue && filter.id == nil ? states.map { [$0] } : [states]
    let start = cursor ?? ActionCursor(upTo: UInt64(clamping: tally.totals.lastSerial))
    return try transaction { () throws(SQLiteFailure) in
      try walk(passes, from: start, filter, limit: limit) { (job, step) throws(SQLiteFailure) in
        try change(&job, action, now: now, &step)
      }
    }
  }

  func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(SQLiteFailure) -> (was: JobState, step: ActionStep)? {
    guard let job = try head(id: id) else { return nil }
    var step = ActionStep()
    step.examined = 1
    guard job.state.canBeRequeued else { return (job.state, step) }
    return try transaction { () throws(SQLiteFailure) in
      var moved = job
      try requeue(&moved, with: instructions, now: now, &step)
      return (job.state, step)
    }
  }

  private func walk(
    _ passes: [[JobState]], from start: ActionCursor, _ filter: JobFilter, limit: Int,
    change: (inout JobHead, inout ActionStep) throws(SQLiteFailure) -> Void
  ) throws(SQLiteFailure) -> ActionStep {
    var step = ActionStep()
    var at = start
    while at.pass < passes.count {
      var meant = filter
      meant.states = Set(passes[at.pass])
      var found: [Int64] = []
      let stretch = Stretch(
        order: .oldestFirst, after: Int64(clamping: at.serial), before: Int64(clamping: at.upTo &+ 1),
        limit: limit - step.examined)
      // Found before anything is changed: the changes are to the tables that are read.
      let end = try view.look(through: meant, stretch) { job in
        found.append(job.serial)
        return true
      }
      step.examined += end.examined
      for serial in found {
        if var job = try head(serial: serial) { try change(&job, &step) }
      }
      if let last = end.next {
        at.serial = UInt64(clamping: last)
        step.next = at.text
        return step
      }
      at.pass += 1
      at.serial = 0
    }
    return step
  }

  private func change(
    _ job: inout JobHead, _ action: FilterAction, now: Timestamp, _ step: inout ActionStep
  ) throws(SQLiteFailure) {
    switch action {
    case .cancel:
      if let lease = try cancel(&job, now: now) { step.broken.append(lease) }
      step.cancelled.append(job.id)
    case .requeue: return try requeue(&job, with: nil, now: now, &step)
    case .delete: try remove(job)
    }
    step.changed += 1
  }

  private func requeue(
    _ job: inout JobHead, with instructions: [UInt8]?, now: Timestamp, _ step: inout ActionStep
  ) throws(SQLiteFailure) {
    guard let move = JobLifecycle.requeue(job.standing(keys), with: instructions) else { return }
    try withdraw(&job)
    try put(&job, move, now: now)
    step.requeued[keys.shownIndex(ofKey: job.phaseKey), default: 0] += 1
    step.changed += 1
  }
}
