internal import Glibc
internal import Synchronization

/// The file that log lines go to in the place of stderr; opened again when it was moved away, as logrotate(8) does it.
enum LogFile {
  private struct Place {
    var path: String
    var descriptor: Int32
  }

  private static let place = Mutex<Place?>(nil)

  /// Where lines are written; nil: to stderr.
  static var descriptor: Int32? { place.withLock { $0?.descriptor } }

  /// From now on.
  static func choose(_ path: String) throws(CommandFailure) {
    let descriptor = opened(path)
    guard descriptor >= 0 else {
      let code = errno
      throw CommandFailure(
        code == EACCES || code == EROFS ? .denied : .noInput, "--log-file \(path): \(String(cString: strerror(code)))")
    }
    place.withLock { $0 = Place(path: path, descriptor: descriptor) }
  }

  /// Whatever was written is in the file that was; what comes is in the one that has the name now.
  ///
  /// - Returns: false where there is no such file.
  static func reopen() -> Bool {
    guard let place = place.withLock({ $0 }) else { return false }
    let fresh = opened(place.path)
    guard fresh >= 0 else {
      let reason = String(cString: strerror(errno))
      LogLines.standardError.write(
        StandardStreams.complaint(
          "carbontube: \(place.path) cannot be opened again: \(reason); the log stays where it was"))
      return true
    }
    // Under the number that the writer knows, so that no line is lost between the two.
    dup2(fresh, place.descriptor)
    _ = fcntl(place.descriptor, F_SETFD, FD_CLOEXEC)
    close(fresh)
    return true
  }

  private static func opened(_ path: String) -> Int32 {
    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o640)
  }
}
