internal import CSQLite
internal import PipelineModel

/// A connection with its prepared statements, each made when it is first used. Used by one thread at a time.
final class Connection {
  fileprivate let handle: OpaquePointer
  private var statements: [Statement?] = Array(repeating: nil, count: Query.allCases.count)
  private var isOpen = true
  fileprivate let callbacks = Callbacks()

  /// Told and asked by SQLite while it works.
  fileprivate final class Callbacks {
    var logFrames: Int32 = 0
    var mustEnd: () -> Bool = { false }

    /// What SQLite was given to hand back.
    static func of(_ pointer: UnsafeMutableRawPointer?) -> Callbacks? {
      pointer.map { Unmanaged<Callbacks>.fromOpaque($0).takeUnretainedValue() }
    }
  }

  /// Says nothing yet about what is in the file.
  /// - Parameter isReader: changes nothing; else the file is made where it does not exist.
  init(file: String, busyTimeoutMilliseconds: Int32, isReader: Bool = false) throws(SQLiteFailure) {
    var handle: OpaquePointer?
    let access = isReader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let code = sqlite3_open_v2(file, &handle, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard code == SQLITE_OK, let handle else {
      let failure = SQLiteFailure.last(handle)
      sqlite3_close_v2(handle)
      throw failure
    }
    self.handle = handle
    sqlite3_busy_timeout(handle, busyTimeoutMilliseconds)
  }

  deinit { close() }

  /// Rolls back what was not committed.
  func close() {
    guard isOpen else { return }
    isOpen = false
    for statement in statements { statement?.finalize() }
    statements = []
    sqlite3_close_v2(handle)
  }

  /// SQLite falls back to reading alone where the file may not be written.
  var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") == 1 }

  /// Rows written by the last statement that ran to its end.
  var changes: Int64 { sqlite3_changes64(handle) }

  func statement(_ query: Query) throws(SQLiteFailure) -> Statement {
    if let statement = statements[query.rawValue] { return statement }
    let statement = try Statement(query.sql, on: handle)
    statements[query.rawValue] = statement
    return statement
  }

  /// For SQL that is used once; rows are of no interest.
  func execute(_ sql: String) throws(SQLiteFailure) {
    let statement = try Statement(sql, on: handle)
    defer { statement.finalize() }
    try statement.run()
  }

  /// The first value of the first row of SQL that is used once.
  func value<Value>(of sql: String, _ read: (Statement) -> Value) throws(SQLiteFailure) -> Value? {
    let statement = try Statement(sql, on: handle)
    defer { statement.finalize() }
    return try statement.first { (row) throws(SQLiteFailure) in read(row) }
  }

  /// Every row of SQL that is used once.
  func rows<Value>(
    of sql: String, _ read: (Statement) throws(SQLiteFailure) -> Value
  ) throws(SQLiteFailure) -> [Value] {
    let statement = try Statement(sql, on: handle)
    defer { statement.finalize() }
    var rows: [Value] = []
    while try statement.step() { rows.append(try read(statement)) }
    return rows
  }

  /// All of `body` or nothing. Takes the right to write at once, so that nothing fails half-way for the lack of it.
  func transaction<Value>(_ body: () throws(SQLiteFailure) -> Value) throws(SQLiteFailure) -> Value {
    try statement(.begin).run()
    do {
      let value = try body()
      try statement(.commit).run()
      return value
    } catch {
      // Where this fails SQLite has rolled back itself.
      _ = try? statement(.rollback).run()
      throw error
    }
  }

  /// All of `body` sees the database as it is at one moment. Nothing stays open behind it.
  /// - Parameter mustEnd: asked now and then; where it says so, `body` fails with SQLITE_INTERRUPT.
  func snapshot<Value>(
    unless mustEnd: @escaping () -> Bool, _ body: () throws(SQLiteFailure) -> Value
  ) throws(SQLiteFailure) -> Value {
    callbacks.mustEnd = mustEnd
    sqlite3_progress_handler(
      handle, Self.stepsBetweenQuestions,
      { Callbacks.of($0)?.mustEnd() == true ? 1 : 0 },
      Unmanaged.passUnretained(callbacks).toOpaque())
    try statement(.beginReading).run()
    defer {
      sqlite3_progress_handler(handle, 0, nil, nil)
      _ = try? statement(.rollback).run()
    }
    return try body()
  }

  /// Of SQLite's machine: some tens of microseconds.
  private static let stepsBetweenQuestions: Int32 = 1_000
}

/// The write-ahead log.
extension Connection {
  /// In place of SQLite's own habit to write the log back within a commit.
  func watchLog() {
    sqlite3_wal_hook(
      handle,
      { callbacks, _, _, frames in
        Callbacks.of(callbacks)?.logFrames = frames
        return SQLITE_OK
      }, Unmanaged.passUnretained(callbacks).toOpaque())
  }

  /// Pages in the log when the last commit was made.
  var logFrames: Int { Int(callbacks.logFrames) }

  /// Copies into the file what others that use the database allow to; waits for nobody.
  /// - Returns: whether that was all, so that the log begins anew with the next commit.
  func writeBackLog() -> Bool {
    var frames: Int32 = 0
    var written: Int32 = 0
    let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, &frames, &written)
    return code == SQLITE_OK && written == frames
  }

  /// Copies all of the log into the file, and empties it; waits for others as long as for a lock.
  func emptyLog() throws(SQLiteFailure) {
    let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
    guard code == SQLITE_OK else { throw SQLiteFailure.last(handle) }
  }

  /// Has the disk keep every commit so far: what `PRAGMA synchronous = FULL` does at the end of each (sqlite3WalFrames in
  /// SQLite's wal.c), by the log's own file, which SQLITE_FCNTL_JOURNAL_POINTER gives.
  func flushLog() throws(SQLiteFailure) {
    var log: UnsafeMutablePointer<sqlite3_file>?
    var code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log)
    if code == SQLITE_OK, let log, let methods = log.pointee.pMethods {
      code = methods.pointee.xSync(log, SQLITE_SYNC_NORMAL)
    }
    guard code == SQLITE_OK else {
      throw SQLiteFailure(
        code: code, systemError: sqlite3_system_errno(handle), detail: String(cString: sqlite3_errstr(code)))
    }
  }
}
