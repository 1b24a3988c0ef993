internal import JobStorage
internal import PipelineModel

/// One open database and what is kept of it in memory. Thrown away after any failure: what is in memory may then be
/// ahead of what is on the disk.
final class Session {
  let connection: Connection
  let keys: PhaseKeys
  private let isFullySynchronous: Bool
  var leases = Leases()
  var lines = QueueLines()
  var tally: Tally
  /// As `tally` is in the file.
  private var writtenTally: Tally
  /// The last place taken in `finished`.
  var lastFinished: Int64 = 0
  /// Kept for its memory.
  var scratch = PackedWriter()

  init(_ connection: Connection, keys: PhaseKeys, tally: Tally, isFullySynchronous: Bool) {
    self.connection = connection
    self.keys = keys
    self.tally = tally
    self.isFullySynchronous = isFullySynchronous
    writtenTally = tally
  }

  /// All of `body` or nothing, with the counts that result from it.
  /// - Parameter flushing: false where the caller sees to it.
  func transaction<Value>(
    flushing: Bool = true, _ body: () throws(SQLiteFailure) -> Value
  ) throws(SQLiteFailure) -> Value {
    let value = try connection.transaction { () throws(SQLiteFailure) in
      let value = try body()
      try tally.write(to: connection, over: writtenTally)
      return value
    }
    writtenTally = tally
    if flushing, isFullySynchronous { try connection.flushLog() }
    return value
  }

  /// One job as it is now.
  func head(_ query: Query, _ bind: (Statement) -> Void) throws(SQLiteFailure) -> JobHead? {
    let statement = try connection.statement(query)
    bind(statement)
    return try statement.first { (row) throws(SQLiteFailure) in try head(row) }
  }

  func head(id: JobID) throws(SQLiteFailure) -> JobHead? { try head(.jobByID) { $0.bind(id.text) } }

  func head(serial: Int64) throws(SQLiteFailure) -> JobHead? { try head(.jobBySerial) { $0.bind(serial) } }

  /// From a row that begins with the columns of a head.
  func head(_ row: Statement) throws(SQLiteFailure) -> JobHead {
    if let lease = leases[serial: row.int64(0)] { return lease.head }
    let head = try JobHead(row)
    guard tally.phases.indices.contains(head.phaseKey) else {
      throw SQLiteFailure.unreadable("job '\(head.id)' stands in phase \(head.phaseKey), which was never known")
    }
    return head
  }

  func isMeant(_ head: JobHead, by filter: JobFilter) throws(SQLiteFailure) -> Bool {
    guard filter.matches(id: head.id, state: head.state, phase: keys.shownIndex(ofKey: head.phaseKey)) else {
      return false
    }
    guard let words = filter.errorContains, !words.isEmpty else { return true }
    let error = try connection.statement(.errorWords).bind(head.serial).first {
      JobError(type: $0.text(0), message: $0.text(1))
    }
    return filter.matches(error: error)
  }
}
