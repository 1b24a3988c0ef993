internal import Glibc
internal import JobStorage

/// The right to be the one that uses a database: a lock of the kernel's on a file beside it, which ends with the
/// process, however that ends. The file itself stays: removing it would let two hold locks on two files of one name.
final class OwnerLock {
  private let file: String
  private let descriptor: Int32

  init(_ address: SQLiteAddress, owner: String) throws(StoreError) {
    file = address.file + ".lock"
    let descriptor = Glibc.open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.cannotOpen(address, errno) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      let holder = Self.text(of: descriptor)
      Glibc.close(descriptor)
      guard code == EWOULDBLOCK else { throw Self.cannotOpen(address, code) }
      throw StoreError(
        .ownedByAnother, operation: "open",
        message: "\(address.text): owned by \(holder); stop that coordinator first, or give this one a file of its own")
    }
    self.descriptor = descriptor
    // For the message above alone; a full disk must not stand in the way of the lock.
    let text = Array("\(owner) (pid \(getpid()))\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = pwrite(descriptor, text, text.count, 0)
  }

  deinit {
    // Closing alone is not enough: a child that is being spawned at this moment shares the lock until it execs.
    flock(descriptor, LOCK_UN)
    Glibc.close(descriptor)
  }

  /// False where somebody removed or replaced the file: then another process may have taken the new one.
  var isStillThere: Bool {
    var held = stat()
    var named = stat()
    return fstat(descriptor, &held) == 0 && stat(file, &named) == 0 && held.st_ino == named.st_ino
      && held.st_dev == named.st_dev
  }

  /// The holder's words. Whatever is in the file may go into a log, so only what is plain of it.
  private static func text(of descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
    let line = bytes[..<count].prefix { (0x20..<0x7f).contains($0) }
    return line.isEmpty ? "another process" : String(decoding: line, as: UTF8.self)
  }

  private static func cannotOpen(_ address: SQLiteAddress, _ code: Int32) -> StoreError {
    let (kind, words): (StoreError.Kind, String) =
      switch code {
      case ENOENT, ENOTDIR: (.misconfigured, "the folder does not exist; make it or correct the path")
      case EISDIR, EACCES, EPERM:
        (.misconfigured, "may not write \(address.path).lock; correct the path or the rights of its folder")
      case EROFS: (.refusesWrites, "the file system is read-only; mount it for writing or choose another path")
      case ENOSPC, EDQUOT: (.refusesWrites, "disk full: free space; work resumes by itself")
      default:
        (.unavailable, "cannot lock \(address.path).lock: \(String(cString: strerror(code))); look at its file system")
      }
    return StoreError(kind, operation: "open", message: "\(address.text): \(words)")
  }
}
