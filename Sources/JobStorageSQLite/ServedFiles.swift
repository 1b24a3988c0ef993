internal import Glibc

/// Whether the files that are written to are still those that the next start would find. Written bytes go to whatever is
/// open, and nobody would ever see them again.
struct ServedFiles {
  private let address: SQLiteAddress
  private let database: DatabaseFile
  /// Nil until they are there.
  private let log: DatabaseFile.Identity?
  private let index: DatabaseFile.Identity?

  /// To be made when the database is open.
  init(_ address: SQLiteAddress, _ database: DatabaseFile) {
    self.address = address
    self.database = database
    log = DatabaseFile.Identity(path: database.logPath)
    index = DatabaseFile.Identity(path: database.logIndexPath)
  }

  /// What happened to them, and what to do; nil where all is as it was. Costs three system calls.
  var loss: String? {
    if let loss = Self.loss(of: database, address) { return loss }
    if DatabaseFile.Identity(path: database.logPath) != log { return Self.isGone("log", "-wal") }
    // Other programs would see another one, and take the log for theirs.
    return DatabaseFile.Identity(path: database.logIndexPath) == index ? nil : Self.isGone("log's index", "-shm")
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

  private static func isGone(_ what: String, _ ending: String) -> String {
    "the database's \(what) (its name with \(ending)) was moved, replaced or removed while in use; what the log held is "
      + "saved in the database, which is opened again; leave the files beside it alone"
  }
}
