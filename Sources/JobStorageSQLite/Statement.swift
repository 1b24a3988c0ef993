internal import CSQLite
internal import PipelineModel

/// One prepared statement. Values are bound in the order of its parameters; `run` and `reset` make it ready for the
/// next round. Belongs to its connection and is finalized with it.
final class Statement {
  private let handle: OpaquePointer
  private let connection: OpaquePointer
  private var bound: Int32 = 0
  /// The first failed bind; told by the next `step`, so that binds can be chained.
  private var bindCode = SQLITE_OK

  init(_ sql: String, on connection: OpaquePointer) throws(SQLiteFailure) {
    var handle: OpaquePointer?
    // Persistent: kept for as long as the connection, so not from its small pool of short-lived memory.
    let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
    guard code == SQLITE_OK, let handle else { throw SQLiteFailure.last(connection) }
    self.handle = handle
    self.connection = connection
  }

  func finalize() { sqlite3_finalize(handle) }

  @discardableResult
  func bind(_ value: Int64) -> Statement {
    bound += 1
    return note(sqlite3_bind_int64(handle, bound, value))
  }

  @discardableResult
  func bind(_ value: Int) -> Statement { bind(Int64(value)) }

  @discardableResult
  func bind(_ moment: Timestamp) -> Statement { bind(moment.milliseconds) }

  @discardableResult
  func bind(_ moment: Timestamp?) -> Statement {
    if let moment { return bind(moment) }
    bound += 1
    return note(sqlite3_bind_null(handle, bound))
  }

  /// Numbers that use all 64 bits; their order in SQL is that of signed ones.
  @discardableResult
  func bind(bits: UInt64) -> Statement { bind(Int64(bitPattern: bits)) }

  @discardableResult
  func bind(_ text: String) -> Statement {
    bound += 1
    return note(
      sqlite3_bind_text64(handle, bound, text, UInt64(text.utf8.count), Self.copied, UInt8(SQLITE_UTF8)))
  }

  @discardableResult
  func bind(_ bytes: [UInt8]) -> Statement {
    bound += 1
    // An empty array has no address, which would be bound as NULL.
    guard !bytes.isEmpty else { return note(sqlite3_bind_zeroblob(handle, bound, 0)) }
    return note(sqlite3_bind_blob64(handle, bound, bytes, UInt64(bytes.count), Self.copied))
  }

  private func note(_ code: Int32) -> Statement {
    if code != SQLITE_OK, bindCode == SQLITE_OK { bindCode = code }
    return self
  }

  /// - Returns: whether there is a row to read. After an error the statement is ready for the next round.
  func step() throws(SQLiteFailure) -> Bool {
    guard bindCode == SQLITE_OK else {
      let failure = SQLiteFailure(code: bindCode, detail: String(cString: sqlite3_errstr(bindCode)))
      reset()
      throw failure
    }
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default:
      let failure = SQLiteFailure.last(connection)
      reset()
      throw failure
    }
  }

  /// For statements whose rows are of no interest.
  func run() throws(SQLiteFailure) {
    while try step() {}
    reset()
  }

  /// Reads one row with `read`; nil where there is none.
  func first<Value>(_ read: (Statement) throws(SQLiteFailure) -> Value) throws(SQLiteFailure) -> Value? {
    defer { reset() }
    return try step() ? try read(self) : nil
  }

  func reset() {
    sqlite3_reset(handle)
    bound = 0
    bindCode = SQLITE_OK
  }

  func int64(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  func int(_ column: Int32) -> Int { Int(int64(column)) }

  /// For numbers that are counted with: what lies beyond was not written by us, and its nearest end is taken.
  func int(_ column: Int32, in range: ClosedRange<Int>) -> Int {
    min(max(int(column), range.lowerBound), range.upperBound)
  }

  func moment(_ column: Int32) -> Timestamp { Timestamp(milliseconds: int64(column)) }

  func bits(_ column: Int32) -> UInt64 { UInt64(bitPattern: int64(column)) }

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

  func text(_ column: Int32) -> String {
    guard let start = sqlite3_column_text(handle, column) else { return "" }
    let count = Int(sqlite3_column_bytes(handle, column))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// Whether a text begins with these bytes.
  func begins(_ column: Int32, with prefix: String) -> Bool {
    guard let start = sqlite3_column_text(handle, column) else { return prefix.isEmpty }
    let count = Int(sqlite3_column_bytes(handle, column))
    return UnsafeBufferPointer(start: start, count: count).starts(with: prefix.utf8)
  }

  func bytes(_ column: Int32) -> [UInt8] {
    guard let start = sqlite3_column_blob(handle, column) else { return [] }
    return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
  }

  /// SQLITE_TRANSIENT: SQLite copies what is bound before the call returns.
  private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}
