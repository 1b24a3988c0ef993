internal import JobStorage
internal import PipelineModel

/// One open database and what is kept of it in memory. Thrown away after any failure: what is in memory may then be
/// ahead of what is on the disk.
final class SQLiteSession {
  let connection: Connection
  let keys: PhaseKeys
  private let isFullySynchronous: Bool
  private var log: LogKeeper
  var leases = Leases()
  var lines = QueueLines()
  var tally: Tally
  /// As `tally` is in the file.
  private var writtenTally: Tally
  /// The last places taken in `finished`.
  var lastFinished = FinishedPlaces.other.lowerBound - 1
  var lastDead = FinishedPlaces.dead.lowerBound
  /// Kept for its memory.
  var scratch = PackedWriter()

  init(_ connection: Connection, keys: PhaseKeys, tally: Tally, isFullySynchronous: Bool, log: LogKeeper) {
    self.connection = connection
    self.keys = keys
    self.tally = tally
    self.isFullySynchronous = isFullySynchronous
    writtenTally = tally
    self.log = log
  }

  /// What is stored, the present transaction's changes to jobs among it.
  var view: JobView { JobView(connection: connection, keys: keys) }

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
    log.tend()
    return value
  }

  /// While nothing is written: a reader was in the way when something was.
  func tendLog() { log.tend() }

  func runningJobs() -> [RunningJob] { leases.all.map { $0.running(keys) }.sorted { $0.token < $1.token } }

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
}
