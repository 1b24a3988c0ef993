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
    /// Of the instructions of all finished jobs.
    var finishedBytes = 0
    var lastSerial: Int64 = 0
    var lastToken: UInt64 = 0
  }

  var finishedCount: Int { phases.reduce(totals.succeeded + totals.cancelled) { $0 + $1.dead } }

  mutating func count(_ job: JobHead, _ change: Int) {
    switch job.state {
    case .waiting: phases[job.phaseKey].waiting += change
    case .delayed: phases[job.phaseKey].delayed += change
    case .running: phases[job.phaseKey].running += change
    case .dead: phases[job.phaseKey].dead += change
    case .succeeded: totals.succeeded += change
    case .cancelled: totals.cancelled += change
    }
    if job.state.isFinal { totals.finishedBytes += change * job.size }
  }

  /// Writes what differs from what was `written` before.
  func write(to connection: Connection, over written: Tally) throws(SQLiteFailure) {
    for (key, counts) in phases.enumerated() where key >= written.phases.count || counts != written.phases[key] {
      try connection.statement(.writePhaseCounts)
        .bind(counts.waiting).bind(counts.delayed).bind(counts.running).bind(counts.dead).bind(key).run()
    }
    guard totals != written.totals else { return }
    try connection.statement(.writeTotals)
      .bind(totals.succeeded).bind(totals.cancelled).bind(totals.finishedBytes).bind(totals.lastSerial)
      .bind(bits: totals.lastToken).run()
  }
}
