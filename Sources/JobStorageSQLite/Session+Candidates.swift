internal import JobStorage
internal import PipelineModel

/// Where the counts say that few jobs can match, those are found where they stand, however many others there are.
extension Session {
  /// Every job that may match, in no order; nil where there are too many to name.
  func fewCandidates(_ filter: JobFilter) throws(SQLiteFailure) -> [Int64]? {
    let states = filter.states ?? Set(JobState.allCases)
    if states.reduce(0, { $0 + upperCount($1, filter.phase) }) <= Self.jobsLookedAt {
      var serials: [Int64] = []
      for state in states where upperCount(state, filter.phase) > 0 {
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
  private func upperCount(_ state: JobState, _ phase: Int?) -> Int {
    switch state {
    case .waiting: queueKeys(phase).reduce(0) { $0 + tally.phases[$1].waiting }
    case .delayed: tally.phases.reduce(0) { $0 + $1.delayed }
    case .running: leases.count
    case .dead: tally.phases.reduce(0) { $0 + $1.dead }
    case .succeeded: tally.totals.succeeded
    case .cancelled: tally.totals.cancelled
    }
  }

  private func serials(in state: JobState, phase: Int?) throws(SQLiteFailure) -> [Int64] {
    switch state {
    case .waiting:
      var serials: [Int64] = []
      for key in queueKeys(phase) where tally.phases[key].waiting > 0 {
        let range = QueuePlace.range(ofPhaseKey: key)
        serials += try self.serials(.serialsInQueue) { $0.bind(range.lowerBound).bind(range.upperBound) }
      }
      return serials
    case .delayed: return try serials(.serialsDelayed) { _ in }
    case .running: return leases.all.map(\.head.serial)
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
