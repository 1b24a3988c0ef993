internal import Glibc

/// Whether the files that are written to are still those that the next start would find. Written bytes go to whatever is
/// open, and nobody would ever see them again.
struct ServedFiles {
  private let address: SQLiteAddress
  private let database: DatabaseFile
  /// Nil until the log is there.
  private let log: DatabaseFile.Identity?

  /// To be made when the database is open.
  init(_ address: SQLiteAddress, _ database: DatabaseFile) {
    self.address = address
    self.database = database
    log = DatabaseFile.Identity(path: database.logPath)
  }

  /// What happened to them, and what to do; nil where all is as it was. Costs two system calls.
  var loss: String? {
    Self.loss(of: database, address) ?? (DatabaseFile.Identity(path: database.logPath) == log ? nil : Self.logIsGone)
  }

  /// Of the database's own file.
  static func loss(of database: DatabaseFile, _ address: SQLiteAddress) -> String? {
    let found = DatabaseFile.Identity(path: address.file)
    guard found != database.identity else { return nil }
    let code = errno
    if found == nil, code != ENOENT, code != ENOTDIR {
      return "the database cannot be looked at while in use: \(String(cString: strerror(code))); correct that"
    }
    let what = found == nil ? "removed" : "replaced by another file"
    guard database.nameCount == 0 else {
      return found == nil
        ? "the database was moved away while in use; move it back, or end this coordinator"
        : "the database was \(what) while in use; move it back, or restart this coordinator to use the other"
    }
    return
      "the database was \(what) while in use; save what is in it with 'cp /proc/\(getpid())/fd/\(database.descriptor) "
      + "COPY', put it in its place, and restart this coordinator"
  }

  private static let logIsGone =
    "the database's log (its name with -wal) was moved, replaced or removed while in use; leave the files beside the "
    + "database alone; what was in it is kept, and work goes on"
}
