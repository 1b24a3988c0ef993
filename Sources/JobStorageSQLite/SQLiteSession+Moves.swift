internal import JobStorage
internal import PipelineModel

/// Every change of a job's state goes through `withdraw` (or a bulk removal and `countOut`) and one of the `put`s, so
/// that counts and places cannot disagree.
extension SQLiteSession {
  /// Takes the job out of wherever it stands.
  func withdraw(_ job: inout JobHead) throws(SQLiteFailure) {
    countOut(job)
    switch job.state {
    case .waiting: try connection.statement(.leaveQueue).bind(job.place).run()
    case .delayed: try leaveDelayed(job)
    case .running:
      guard let token = leases.remove(serial: job.serial) else { break }
      try connection.statement(.leaveLease).bind(bits: token.number).run()
    case .succeeded, .dead, .cancelled: try connection.statement(.leaveFinished).bind(job.place).run()
    }
    job.dueAt = nil
  }

  func leaveDelayed(_ job: JobHead) throws(SQLiteFailure) {
    guard let due = job.dueAt else { throw SQLiteFailure.unreadable("job '\(job.id)' is delayed without a time") }
    try connection.statement(.leaveDelayed).bind(due).bind(job.serial).run()
  }

  func countOut(_ job: JobHead) { tally.count(job, -1) }

  /// What becomes of a job that was withdrawn.
  func put(_ job: inout JobHead, _ move: Move, now: Timestamp) throws(SQLiteFailure) {
    if let instructions = move.instructions {
      try connection.statement(.replaceInstructions).bind(job.serial).bind(instructions).run()
      job.size = instructions.count
    }
    try change(&job, move.error)
    job.counters = move.counters
    try enter(&job, move.to, now: now)
    try write(&job, move.attempt)
  }

  private func change(_ job: inout JobHead, _ error: Move.ErrorChange) throws(SQLiteFailure) {
    switch error {
    case .kept: break
    case .replaced(let error):
      try connection.statement(.writeError)
        .bind(job.serial).bind(error.type).bind(error.message).bind(error.location).bind(error.standardErrorTail).run()
      job.hasError = true
    case .forgotten:
      guard job.hasError else { break }
      try connection.statement(.deleteError).bind(job.serial).run()
      job.hasError = false
    }
  }

  private func enter(_ job: inout JobHead, _ place: Place, now: Timestamp) throws(SQLiteFailure) {
    switch place {
    case .queue(let phase, let atFront):
      job.phaseKey = keys.key(ofIndex: phase) ?? job.phaseKey
      enter(&job, .waiting, now: now)
      job.queuedAt = now
      job.place = try nextPlace(of: job, atFront: atFront)
      try enterQueue(job)
    case .delayed(let due):
      enter(&job, .delayed, now: now)
      job.dueAt = due
      try enterDelayed(job, until: due)
    case .finished(let state):
      enter(&job, state, now: now)
      job.place = try nextFinishedPlace(state)
      try connection.statement(.enterFinished).bind(job.place).bind(Int(state.rawValue)).bind(job.serial).run()
    }
  }

  private func nextFinishedPlace(_ state: JobState) throws(SQLiteFailure) -> Int64 {
    let places = state == .dead ? FinishedPlaces.dead : FinishedPlaces.other
    let last = state == .dead ? \SQLiteSession.lastDead : \SQLiteSession.lastFinished
    guard self[keyPath: last] < places.upperBound else {
      throw SQLiteFailure.unreadable("no place is left for jobs that end")
    }
    self[keyPath: last] += 1
    return self[keyPath: last]
  }

  func enterQueue(_ job: JobHead) throws(SQLiteFailure) {
    try connection.statement(.enterQueue).bind(job.place).bind(job.serial).run()
  }

  func enterDelayed(_ job: JobHead, until due: Timestamp) throws(SQLiteFailure) {
    try connection.statement(.enterDelayed).bind(due).bind(job.serial).run()
  }

  private func enter(_ job: inout JobHead, _ state: JobState, now: Timestamp) {
    job.state = state
    job.updatedAt = now
    tally.count(job, 1)
  }

  func nextPlace(of job: JobHead, atFront: Bool = false) throws(SQLiteFailure) -> Int64 {
    let line = QueuePlace.line(phaseKey: job.phaseKey, priority: job.priority)
    return try lines.next(in: line, atFront: atFront) { [connection] (line) throws(SQLiteFailure) in
      func end(_ query: Query) throws(SQLiteFailure) -> Int64? {
        try connection.statement(query).bind(line.lowerBound).bind(line.upperBound).first { $0.int64(0) }
      }
      guard let first = try end(.firstOfLine), let last = try end(.lastOfLine) else { return nil }
      return (first, last)
    }
  }

  private func write(_ job: inout JobHead, _ attempt: AttemptRecord?) throws(SQLiteFailure) {
    scratch.removeAll()
    if let attempt {
      if job.timelineCount >= Timeline.attemptsKept { try dropOldestAttempt(&job) }
      Timeline.write(attempt, key: keys.key(ofIndex: attempt.phase) ?? job.phaseKey, to: &scratch)
      job.timelineCount += 1
    }
    try connection.statement(.moveJob)
      .bind(job.serial).bind(Int(job.state.rawValue)).bind(job.phaseKey).bind(job.place).bind(job.counters.attempt)
      .bind(job.counters.failures).bind(job.counters.crashes).bind(job.updatedAt).bind(job.queuedAt).bind(job.dueAt)
      .bind(job.size)
      .bind(job.counters.losses).bind(job.hasError ? 1 : 0).bind(job.timelineCount).bind(scratch.bytes).run()
  }

  private func dropOldestAttempt(_ job: inout JobHead) throws(SQLiteFailure) {
    let timeline = try connection.statement(.readTimeline).bind(job.serial).first { $0.bytes(0) } ?? []
    let shortened = Timeline.withoutOldest(timeline)
    try connection.statement(.writeTimeline).bind(job.serial).bind(shortened).run()
    job.timelineCount -= 1
  }
}
