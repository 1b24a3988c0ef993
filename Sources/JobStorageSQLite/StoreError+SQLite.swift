internal import CSQLite
internal import Glibc
internal import JobStorage

extension StoreError {
  init(_ failure: SQLiteFailure, operation: String, address: SQLiteAddress) {
    let (kind, words) = Self.meaning(of: failure, file: address.file)
    self.init(kind, operation: operation, message: "\(address.text): \(shown(words))")
  }

  private static func meaning(of failure: SQLiteFailure, file: String) -> (Kind, String) {
    switch failure.plainCode {
    case SQLITE_FULL: (.refusesWrites, shortage(on: file))
    case SQLITE_INTERRUPT: (.unavailable, "looking took too long beside the work that is done; ask for less, or later")
    case SQLITE_READONLY: (.refusesWrites, "the file is read-only; correct its rights or those of its folder")
    case SQLITE_NOMEM: (.refusesWrites, "out of memory; give the process more")
    case SQLITE_BUSY, SQLITE_LOCKED:
      (.unavailable, "another program is writing to the file; end it, or wait for it with a longer busy_timeout")
    case SQLITE_IOERR where [ENOSPC, EDQUOT].contains(failure.systemError), SQLITE_CANTOPEN where lacksRoom(file):
      (.refusesWrites, shortage(on: file))
    case SQLITE_IOERR where [EMFILE, ENFILE].contains(failure.systemError),
      SQLITE_CANTOPEN where [EMFILE, ENFILE].contains(failure.systemError):
      (.unavailable, SQLiteAddress.descriptorsUsedUp(failure.systemError))
    case SQLITE_IOERR where failure.systemError == EFBIG:
      (
        .refusesWrites,
        "the file may not grow any more; raise the limit of file sizes (ulimit -f), work resumes by itself"
      )
    case SQLITE_IOERR where failure.systemError == EROFS:
      (.refusesWrites, "the file system is read-only; mount it for writing")
    case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_PROTOCOL:
      (.unavailable, "cannot use the file: \(reason(failure)); look at its file system")
    case SQLITE_PERM, SQLITE_AUTH:
      (.misconfigured, "may not use the file: \(reason(failure)); correct its rights")
    case SQLITE_NOTADB:
      (.misconfigured, "is not a SQLite database; correct the path, or move that file away")
    case SQLITE_TOOBIG: (.misconfigured, "a job's instructions are larger than SQLite allows; make them smaller")
    default:
      (.corrupt, "the database is damaged: \(failure.detail); restore a backup, or move the file away to start anew")
    }
  }

  /// Asked where SQLite cannot open a file beside the database: of a file that it could not make it says that it is missing.
  private static func lacksRoom(_ file: String) -> Bool {
    let folder = String(file[...(file.lastIndex(of: "/") ?? file.startIndex)])
    var status = statvfs()
    guard statvfs(folder, &status) == 0, status.f_blocks > 0 else { return false }
    return status.f_bavail == 0 || (status.f_files > 0 && status.f_favail == 0)
  }

  private static func reason(_ failure: SQLiteFailure) -> String {
    failure.systemError == 0 ? failure.detail : String(cString: strerror(failure.systemError))
  }
}

/// Runs `body` with its failure put into words.
func storeErrors<Value>(
  _ operation: String, _ address: SQLiteAddress, _ body: () throws(SQLiteFailure) -> Value
) throws(StoreError) -> Value {
  do { return try body() } catch { throw StoreError(error, operation: operation, address: address) }
}
