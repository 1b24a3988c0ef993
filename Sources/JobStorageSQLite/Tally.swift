internal import JobStorage
internal import PipelineModel

/// What is kept about all jobs; changed in memory and written once per transaction.
struct Tally: Equatable {
  /// By phase key.
  var phases: [PhaseCounts] = []
  var totals = Totals()

  struct Totals: Equatable {
    var succeeded = 0
    var cancelled = 0
    /// Of the instructions of all succeeded and cancelled jobs.
    var finishedBytes = 0
    /// Of the instructions of all dead jobs.
    var deadBytes = 0
    var lastSerial: Int64 = 0
    var lastToken: UInt64 = 0
  }

  var deadCount: Int { phases.reduce(0) { $0 + $1.dead } }

  func counts(_ keys: PhaseKeys) -> StoreCounts {
    StoreCounts(
      phases: keys.keys.map { phases.indices.contains($0) ? phases[$0] : PhaseCounts() },
      succeeded: totals.succeeded, cancelled: totals.cancelled, deadBytes: totals.deadBytes)
  }

  mutating func count(_ job: JobHead, _ change: Int) {
    switch job.state {
    case .waiting: phases[job.phaseKey].waiting += change
    case .delayed: phases[job.phaseKey].delayed += change
    case .running: phases[job.phaseKey].running += change
    case .dead: phases[job.phaseKey].dead += change
    case .succeeded: totals.succeeded += change
    case .cancelled: totals.cancelled += change
    }
    switch job.state {
    case .dead: totals.deadBytes += change * job.size
    case .succeeded, .cancelled: totals.finishedBytes += change * job.size
    case .waiting, .delayed, .running: break
    }
  }

  /// Writes what differs from what was `written` before.
  func write(to connection: Connection, over written: Tally) throws(SQLiteFailure) {
    for (key, counts) in phases.enumerated() where key >= written.phases.count || counts != written.phases[key] {
      try connection.statement(.writePhaseCounts)
        .bind(counts.waiting).bind(counts.delayed).bind(counts.running).bind(counts.dead).bind(key).run()
    }
    guard totals != written.totals else { return }
    try connection.statement(.writeTotals)
      .bind(totals.succeeded).bind(totals.cancelled).bind(totals.finishedBytes).bind(totals.deadBytes)
      .bind(totals.lastSerial).bind(bits: totals.lastToken).run()
  }
}

extension Tally {
  init(stored connection: Connection) throws(SQLiteFailure) {
    let row = try connection.statement(.readPhaseCounts)
    defer { row.reset() }
    while try row.step() {
      phases.append(
        PhaseCounts(
          waiting: row.int(0, in: Self.range), delayed: row.int(1, in: Self.range),
          running: row.int(2, in: Self.range), dead: row.int(3, in: Self.range)))
    }
    let stored = try connection.statement(.readTotals).first { row in
      Totals(
        succeeded: row.int(0, in: Self.range), cancelled: row.int(1, in: Self.range),
        finishedBytes: row.int(2, in: Self.range), deadBytes: row.int(3, in: Self.range),
        lastSerial: Int64(row.int(4, in: Self.range)), lastToken: min(row.bits(5), Self.endOfTokens))
    }
    totals = stored ?? Totals()
  }

  /// Wide enough for everything, and no sum of many leaves what a number can hold.
  private static let range = 0...(1 << 53)
  /// No clock gives as many.
  static let endOfTokens: UInt64 = 1 << 63
}
