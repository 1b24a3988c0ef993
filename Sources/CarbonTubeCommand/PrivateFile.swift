internal import Glibc

/// A small file that may hold secrets, or what decides what a plugin does.
enum PrivateFile {
  enum Access {
    /// For secrets.
    case ownerAlone
    /// Others may read it, and nobody but its owner may change it.
    case othersMayRead
  }

  static let maximumBytes = 1 << 20
  /// For a pipe, as a shell's <(…) makes one.
  private static let patienceMilliseconds: Int32 = 10_000

  /// - Parameter option: what named it, for errors.
  static func read(_ path: String, option: String, allows access: Access) throws(CommandFailure) -> [UInt8] {
    // A FIFO that nobody writes to does not hold the program up here.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      let status: ExitStatus = errno == EACCES ? .denied : .noInput
      throw CommandFailure(status, "\(option) \(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var found = stat()
    guard fstat(descriptor, &found) == 0, found.st_mode & S_IFMT != S_IFDIR else {
      throw CommandFailure(.noInput, "\(option) \(path) is no file")
    }
    if found.st_mode & S_IFMT == S_IFREG { try check(found, path, option, access) }
    return try contents(of: descriptor, "\(option) \(path)")
  }

  private static func check(_ found: stat, _ path: String, _ option: String, _ access: Access) throws(CommandFailure) {
    guard found.st_uid == geteuid() || found.st_uid == 0 else {
      throw CommandFailure(.denied, "\(option) \(path) belongs to another user; make it your own: chown $USER \(path)")
    }
    let mode = found.st_mode & 0o777
    let words = "(its mode is 0\(String(mode, radix: 8)))"
    switch access {
    case .ownerAlone where mode & 0o077 != 0:
      throw CommandFailure(
        .denied, "\(option) \(path) is open to others \(words), and secrets lie in it: chmod 600 \(path)")
    case .othersMayRead where mode & 0o022 != 0:
      throw CommandFailure(.denied, "\(option) \(path) can be changed by others \(words): chmod go-w \(path)")
    case .ownerAlone, .othersMayRead: break
    }
  }

  private static func contents(of descriptor: Int32, _ name: String) throws(CommandFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 64 << 10)
    let clock = ContinuousClock()
    let deadline = clock.now + .milliseconds(Int64(patienceMilliseconds))
    while true {
      let count = Glibc.read(descriptor, &part, part.count)
      if count == 0 { return bytes }
      if count > 0 {
        bytes += part[..<count]
        guard bytes.count <= maximumBytes else {
          throw CommandFailure(.data, "\(name) has more than \(maximumBytes) bytes")
        }
      } else if errno == EAGAIN {
        guard clock.now < deadline else { throw CommandFailure(.noInput, "\(name) gives nothing within 10 s") }
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&polled, 1, 100)
      } else if errno != EINTR {
        throw CommandFailure(.noInput, "\(name) cannot be read: \(String(cString: strerror(errno)))")
      }
    }
  }
}
