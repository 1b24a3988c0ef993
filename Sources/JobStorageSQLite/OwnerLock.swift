internal import Glibc
internal import JobStorage

/// The right to be the one that uses a database: two locks of the kernel's, which end with the process, however that ends.
///
/// That on the database's own file holds by whatever name it is opened. That on a file beside it tells who the owner is;
/// this file stays: removing it would let two hold locks on two files of one name.
final class OwnerLock {
  let database: DatabaseFile
  private let file: String
  private let descriptor: Int32

  init(_ address: SQLiteAddress, _ database: DatabaseFile, owner: String) throws(StoreError) {
    self.database = database
    file = database.lockPath
    guard database.own() else { throw Self.owned(address, by: Self.holder(named: file)) }
    do throws(StoreError) {
      descriptor = try Self.lock(file, address)
    } catch {
      database.disown()
      throw error
    }
    // For the message above alone; a full disk must not stand in the way of the lock.
    let text = Array("\(owner) (pid \(getpid()))\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = pwrite(descriptor, text, text.count, 0)
  }

  deinit {
    // Closing alone is not enough: a child that is being spawned at this moment shares the lock until it execs.
    flock(descriptor, LOCK_UN)
    Glibc.close(descriptor)
    database.disown()
  }

  /// False where somebody removed or replaced the file beside the database.
  var isStillThere: Bool {
    var held = stat()
    guard fstat(descriptor, &held) == 0 else { return false }
    return DatabaseFile.Identity(path: file) == DatabaseFile.Identity(held)
  }

  private static func lock(_ file: String, _ address: SQLiteAddress) throws(StoreError) -> Int32 {
    let descriptor = Glibc.open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw address.refusal(errno, opening: shown(file)) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      let holder = text(of: descriptor)
      Glibc.close(descriptor)
      throw code == EWOULDBLOCK ? owned(address, by: holder) : address.refusal(code, opening: shown(file))
    }
    return descriptor
  }

  private static func owned(_ address: SQLiteAddress, by holder: String) -> StoreError {
    StoreError(
      .ownedByAnother, operation: "open",
      message: "\(address.text): owned by \(holder); stop that coordinator first, or give this one a file of its own")
  }

  private static func holder(named file: String) -> String {
    let descriptor = Glibc.open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "another coordinator, which opened it by another name" }
    defer { Glibc.close(descriptor) }
    return text(of: descriptor)
  }

  /// The holder's words. Whatever is in the file may go into a log, so only what is plain of it.
  private static func text(of descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
    let line = bytes[..<count].prefix { (0x20..<0x7f).contains($0) }
    return line.isEmpty ? "another process" : String(decoding: line, as: UTF8.self)
  }
}
