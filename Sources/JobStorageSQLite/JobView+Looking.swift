internal import JobStorage
internal import PipelineModel

/// Going through many jobs. Where the counts say that few can match, those are found where they stand, however many others
/// there are.
extension JobView {
  /// Hands the jobs that match to `take`, until it refuses one.
  /// - Parameter isDone: asked before each job that is looked at.
  /// - Returns: how many were looked at, and the last of them where there are more; the end of the stretch where it was none.
  func look(
    through filter: JobFilter, _ stretch: Stretch, until isDone: () -> Bool = { false },
    take: (Glimpse) throws(SQLiteFailure) -> Bool
  ) throws(SQLiteFailure) -> (examined: Int, next: Int64?) {
    var examined = 0
    var last = stretch.order == .newestFirst ? stretch.before : stretch.after
    var next: Int64?
    // Since when a running job runs stands with its lease alone.
    let holders = filter.changed == nil ? [:] : try holders()
    try eachRow(filter, stretch) { (row) throws(SQLiteFailure) in
      let goesOn = examined < stretch.limit && !isDone()
      if goesOn {
        let taken = if let job = Glimpse(row), try isMeant(job, row, filter, holders) { try take(job) } else { true }
        if taken {
          examined += 1
          last = row.int64(0)
          return true
        }
      }
      next = last
      return false
    }
    return (examined, next)
  }

  private func isMeant(
    _ job: Glimpse, _ row: Statement, _ filter: JobFilter, _ holders: [Int64: Holder]
  ) throws(SQLiteFailure) -> Bool {
    if let states = filter.states, !states.contains(job.state) { return false }
    if let phase = filter.phase, phase != keys.shownIndex(ofKey: job.phaseKey) { return false }
    if let prefix = filter.idPrefix, !row.begins(1, with: prefix) { return false }
    if let id = filter.id, row.text(1) != id.text { return false }
    let since = job.state == .running ? holders[job.serial]?.since : nil
    guard filter.matches(updatedAt: since ?? job.storedUpdatedAt) else { return false }
    guard let words = filter.errorContains, !words.isEmpty else { return true }
    guard job.hasError else { return false }
    return filter.matches(
      error: try connection.statement(.errorWords).bind(job.serial).first {
        JobError(type: $0.text(0), message: $0.text(1))
      })
  }

  /// Every row that may match, in the order of the stretch, until `visit` answers false.
  private func eachRow(
    _ filter: JobFilter, _ stretch: Stretch, visit: (Statement) throws(SQLiteFailure) -> Bool
  ) throws(SQLiteFailure) {
    if let few = try fewCandidates(filter) {
      let row = try connection.statement(.glimpseBySerial)
      for serial in few.sorted(by: stretch.order == .newestFirst ? (>) : (<)) where stretch.contains(serial) {
        defer { row.reset() }
        guard try row.bind(serial).step() else { continue }
        guard try visit(row) else { return }
      }
      return
    }
    let row = try rows(filter, stretch)
    defer { row.reset() }
    while try row.step() {
      guard try visit(row) else { return }
    }
  }

  private func rows(_ filter: JobFilter, _ stretch: Stretch) throws(SQLiteFailure) -> Statement {
    let isNewestFirst = stretch.order == .newestFirst
    guard let states = filter.states, states.count == 1, let state = states.first, state.isFinal else {
      return try connection.statement(isNewestFirst ? .newestGlimpses : .oldestGlimpses)
        .bind(stretch.after).bind(stretch.before)
    }
    return try connection.statement(isNewestFirst ? .newestGlimpsesInState : .oldestGlimpsesInState)
      .bind(stretch.after).bind(stretch.before).bind(Int(state.rawValue))
  }

  /// Every job that may match, in no order; nil where there are too many to name.
  private func fewCandidates(_ filter: JobFilter) throws(SQLiteFailure) -> [Int64]? {
    if let id = filter.id {
      return try serials(.glimpseByID) { $0.bind(id.text) }
    }
    let states = filter.states ?? Set(JobState.allCases)
    let tally = try Tally(stored: connection)
    if states.reduce(0, { $0 + upperCount($1, filter.phase, tally) }) <= Self.jobsLookedAt {
      var serials: [Int64] = []
      for state in states where upperCount(state, filter.phase, tally) > 0 {
        serials += try self.serials(in: state, phase: filter.phase)
      }
      return serials
    }
    guard let prefix = filter.idPrefix, !prefix.isEmpty else { return nil }
    // The character behind all those of ids.
    let serials = try serials(.serialsOfPrefix) {
      $0.bind(prefix).bind(prefix + "\u{7f}").bind(Self.jobsLookedAt + 1)
    }
    return serials.count > Self.jobsLookedAt ? nil : serials
  }

  /// As many as `serials(in:phase:)` finds.
  private func upperCount(_ state: JobState, _ phase: Int?, _ tally: Tally) -> Int {
    switch state {
    case .waiting:
      queueKeys(phase).reduce(0) { $0 + (tally.phases.indices.contains($1) ? tally.phases[$1].waiting : 0) }
    case .delayed: tally.phases.reduce(0) { $0 + $1.delayed }
    case .running: tally.phases.reduce(0) { $0 + $1.running }
    case .dead: tally.deadCount
    case .succeeded: tally.totals.succeeded
    case .cancelled: tally.totals.cancelled
    }
  }

  private func serials(in state: JobState, phase: Int?) throws(SQLiteFailure) -> [Int64] {
    switch state {
    case .waiting:
      var serials: [Int64] = []
      for key in queueKeys(phase) {
        let range = QueuePlace.range(ofPhaseKey: key)
        serials += try self.serials(.serialsInQueue) { $0.bind(range.lowerBound).bind(range.upperBound) }
      }
      return serials
    case .delayed: return try serials(.serialsDelayed) { _ in }
    case .running: return try serials(.serialsHeld) { _ in }
    case .dead, .succeeded, .cancelled: return try serials(.serialsInState) { $0.bind(Int(state.rawValue)) }
    }
  }

  /// Waiting jobs stand in phases that the pipeline has.
  private func queueKeys(_ phase: Int?) -> [Int] {
    guard let phase else { return keys.keys }
    return [keys.key(ofIndex: phase)].compactMap(\.self)
  }

  private func serials(_ query: Query, bind: (Statement) -> Void) throws(SQLiteFailure) -> [Int64] {
    let row = try connection.statement(query)
    bind(row)
    defer { row.reset() }
    var serials: [Int64] = []
    while try row.step() { serials.append(row.int64(0)) }
    return serials
  }
}
