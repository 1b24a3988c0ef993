internal import Glibc
internal import JobStorage
internal import Synchronization

/// The database's own file, held open: what it is, whatever it is called, and whether it still stands where it was found.
///
/// One object for each file in a process, since a process that closes any descriptor of a file loses the locks that SQLite
/// has on it: so it lives for as long as anybody's connection.
final class DatabaseFile: Sendable {
  struct Identity: Hashable {
    let device: dev_t
    let node: ino_t

    init(_ status: stat) {
      device = status.st_dev
      node = status.st_ino
    }

    /// Of what `path` leads to; nil where that is nothing.
    init?(path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      self.init(status)
    }
  }

  let identity: Identity
  /// Without links in it.
  let path: String
  let logPath: String
  let logIndexPath: String
  let lockPath: String
  let descriptor: Int32
  private let isOwned = Atomic(false)

  private init(identity: Identity, path: String, descriptor: Int32) {
    self.identity = identity
    self.path = path
    logPath = path + "-wal"
    logIndexPath = path + "-shm"
    lockPath = path + ".lock"
    self.descriptor = descriptor
  }

  deinit {
    Self.known.withLock { known in
      if known[identity]?.file == nil { known[identity] = nil }
    }
    close(descriptor)
  }

  /// Makes the file, empty, where there is none.
  /// - Throws: `errno`'s words about the file.
  static func open(_ address: SQLiteAddress) throws(StoreError) -> DatabaseFile {
    if let identity = Identity(path: address.file), let file = known.withLock({ $0[identity]?.file }) { return file }
    let descriptor = Glibc.open(address.file, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o644)
    guard descriptor >= 0 else { throw address.refusal(errno, opening: address.text) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, let path = realPath(address.file) else {
      let code = errno
      Glibc.close(descriptor)
      throw address.refusal(code, opening: address.text)
    }
    let file = DatabaseFile(identity: Identity(status), path: path, descriptor: descriptor)
    known.withLock { $0[file.identity] = Known(file: file) }
    return file
  }

  /// Takes the file for one owner, among all processes and by whatever name they opened it; `disown` ends it, as does the
  /// end of the process.
  /// - Returns: false where it has one.
  func own() -> Bool {
    guard isOwned.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else {
      return false
    }
    guard setLock(F_WRLCK) || errno != EAGAIN && errno != EACCES else {
      isOwned.store(false, ordering: .releasing)
      return false
    }
    return true
  }

  func disown() {
    // A child that is being spawned at this moment shares the lock until it execs: closing alone is not enough.
    _ = setLock(F_UNLCK)
    isOwned.store(false, ordering: .releasing)
  }

  /// Names the file may be opened by: more than one where there are hard links, none where it was removed.
  var nameCount: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_nlink) : 0
  }

  /// A lock of the open file, far behind the bytes that SQLite locks.
  private func setLock(_ type: Int32) -> Bool {
    var range = flock()
    range.l_type = Int16(type)
    range.l_whence = Int16(SEEK_SET)
    range.l_start = .max - 1
    range.l_len = 1
    return withUnsafeMutableBytes(of: &range) { bytes in
      guard let start = bytes.baseAddress else { return false }
      return fcntl(descriptor, Self.setLockOfOpenFile, start) == 0
    }
  }

  /// F_OFD_SETLK of Linux, which the C library shows to GNU programs alone.
  private static let setLockOfOpenFile: Int32 = 37

  private struct Known {
    weak var file: DatabaseFile?
  }

  private static let known = Mutex<[Identity: Known]>([:])

  private static func realPath(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
  }
}
