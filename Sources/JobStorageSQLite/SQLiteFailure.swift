internal import CSQLite
internal import Glibc

/// What SQLite, or the system under it, answered instead of doing what it was asked. `StoreError.init(_:operation:
/// address:)` puts it into words.
struct SQLiteFailure: Error {
  /// The extended code; its low byte is the plain one.
  let code: Int32
  /// `errno` of the system call that failed; zero where none did.
  var systemError: Int32 = 0
  /// SQLite's own words, or ours about a stored value.
  let detail: String

  var plainCode: Int32 { code & 0xff }

  /// A stored value that this program never writes.
  static func unreadable(_ what: String) -> SQLiteFailure { SQLiteFailure(code: SQLITE_CORRUPT, detail: what) }

  /// Whether it is what is stored that was not understood, by us or by SQLite.
  var isUnreadable: Bool { plainCode == SQLITE_CORRUPT }

  /// Whether the same may succeed later by itself: another program was in the way, or there was no room.
  var isTransient: Bool {
    switch plainCode {
    case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL: true
    case SQLITE_IOERR: [ENOSPC, EDQUOT].contains(systemError)
    default: false
    }
  }

  static let readOnly = SQLiteFailure(code: SQLITE_READONLY, detail: "read-only")

  /// Of the call on `connection` that just failed.
  static func last(_ connection: OpaquePointer?) -> SQLiteFailure {
    guard let connection else { return SQLiteFailure(code: SQLITE_NOMEM, detail: "out of memory") }
    return SQLiteFailure(
      code: sqlite3_extended_errcode(connection), systemError: sqlite3_system_errno(connection),
      detail: String(cString: sqlite3_errmsg(connection)))
  }
}
