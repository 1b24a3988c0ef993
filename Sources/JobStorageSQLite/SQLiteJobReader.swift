internal import JobStorage
internal import PipelineModel

/// Looks at a database by a connection of its own, which reads alone. What a call sees is of one moment; behind it no
/// transaction stays open, which would hold the log back.
final class SQLiteJobReader: JobReader {
  private let address: SQLiteAddress
  /// Held for as long as there is a connection to it.
  private let database: DatabaseFile
  private let keys: PhaseKeys
  private let gate: LogGate
  private var connection: Connection?
  /// Of the gate, when `connection` was made.
  private var session = 0

  init(_ address: SQLiteAddress, _ database: DatabaseFile, keys: PhaseKeys, gate: LogGate) {
    self.address = address
    self.database = database
    self.keys = keys
    self.gate = gate
  }

  deinit { close() }

  func close() {
    connection?.close()
    connection = nil
  }

  func counts() throws(StoreError) -> StoreCounts {
    try look("counts") { (view) throws(SQLiteFailure) in try view.counts() }
  }

  func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    try look("job") { (view) throws(SQLiteFailure) in try view.job(id) }
  }

  func states(of ids: [JobID]) throws(StoreError) -> [JobState?] {
    try look("states") { (view) throws(SQLiteFailure) in try view.states(of: ids) }
  }

  func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    let before = try pageStart(cursor)
    return try look("jobs") { (view) throws(SQLiteFailure) in
      try view.jobs(matching: filter, before: before, limit: limit, maximumBytes: maximumBytes)
    }
  }

  func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    let before = try pageStart(cursor)
    return try look("count") { (view) throws(SQLiteFailure) in
      try view.count(matching: filter, before: before, limit: limit)
    }
  }

  func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    try look("metrics") { (view) throws(SQLiteFailure) in try view.metrics(minutes: range) }
  }

  private func look<Value>(
    _ operation: String, _ body: (JobView) throws(SQLiteFailure) -> Value
  ) throws(StoreError) -> Value {
    guard gate.enter() else {
      throw StoreError(
        .unavailable, operation: operation,
        message: "\(address.text): so much is being written that its log must be put away first; ask again")
    }
    defer { gate.leave() }
    do throws(SQLiteFailure) {
      let connection = try opened()
      let end = Instant.now() + Self.longestMilliseconds
      return try connection.snapshot(unless: { [gate] in gate.isUrgent || Instant.now() > end }) {
        () throws(SQLiteFailure) in try body(JobView(connection: connection, keys: keys))
      }
    } catch {
      if !error.isUnreadable { close() }
      throw StoreError(error, operation: operation, address: address)
    }
  }

  private func opened() throws(SQLiteFailure) -> Connection {
    if let connection, session == gate.session { return connection }
    close()
    session = gate.session
    let fresh = try Connection(
      file: database.path, busyTimeoutMilliseconds: address.busyTimeoutMilliseconds, isReader: true)
    connection = fresh
    return fresh
  }

  /// Every call looks at so little that it takes some milliseconds; this is for a disk that hangs.
  private static let longestMilliseconds: Int64 = 1_000
}

/// The serial before which a page begins.
func pageStart(_ cursor: String?) throws(StoreError) -> Int64 {
  guard let cursor else { return .max }
  guard let serial = Int64(cursor), serial >= 0, String(serial) == cursor else {
    throw StoreError(.badCursor, operation: "jobs", message: "'\(shown(cursor))' is no cursor that a page gave")
  }
  return serial
}
