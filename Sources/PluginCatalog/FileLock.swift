import Glibc

/// flock(2) with a bound: a process that was stopped while it held a lock must not stop this one.
enum FileLock {
  /// Polls, since flock has no limit of its own; locks here are held for microseconds.
  /// - Parameters:
  ///   - kind: `LOCK_SH` or `LOCK_EX`.
  ///   - milliseconds: how long to try at most.
  /// - Returns: false where somebody else holds it all the while.
  static func take(_ descriptor: Int32, _ kind: Int32, waitingUpTo milliseconds: Int) -> Bool {
    for attempt in 0...max(0, milliseconds / 5) {
      if attempt > 0 { usleep(5_000) }
      if flock(descriptor, kind | LOCK_NB) == 0 { return true }
      guard errno == EWOULDBLOCK || errno == EINTR else { return false }
    }
    return false
  }
}
