internal import Dispatch
internal import Synchronization

/// Lets readers look only while the log may stay as it is. The log can begin anew when all of it is in the file and nobody
/// reads from it: readers that come one after the other without a gap would have it grow for ever.
///
/// The writer never waits here. Readers wait a little while a long log is to be written back.
final class LogGate: Sendable {
  private struct State {
    var readers = 0
    var isClosed = false
    var waiting = 0
  }

  private let state = Mutex(State())
  private let opened = DispatchSemaphore(value: 0)
  private let urgent = Atomic(false)
  private let sessions = Atomic(0)

  /// Whether readers are to break off what they do.
  var isUrgent: Bool { urgent.load(ordering: .relaxed) }

  /// Changes whenever the writer's connection has: readers then need another one, too, since theirs may be to files that
  /// are not the database any more.
  var session: Int { sessions.load(ordering: .acquiring) }

  func noteNewSession() { sessions.add(1, ordering: .releasing) }

  // MARK: The writer

  /// Has readers that come wait.
  /// - Returns: whether none is inside.
  func close(isUrgent: Bool) -> Bool {
    urgent.store(isUrgent, ordering: .relaxed)
    return state.withLock {
      $0.isClosed = true
      return $0.readers == 0
    }
  }

  func open() {
    urgent.store(false, ordering: .relaxed)
    let waiting = state.withLock { state in
      defer { state.waiting = 0 }
      state.isClosed = false
      return state.waiting
    }
    for _ in 0..<waiting { opened.signal() }
  }

  // MARK: A reader

  /// Waits while the gate is closed, but not for long: a writer that has nothing to write opens nothing either, and then
  /// the log does not grow.
  /// - Returns: false where there is no entry now; else `leave` must follow.
  func enter() -> Bool {
    let mustWait = state.withLock { state in
      if state.isClosed { state.waiting += 1 } else { state.readers += 1 }
      return state.isClosed
    }
    guard mustWait else { return true }
    let isOpen = opened.wait(timeout: .now() + .milliseconds(Self.patienceMilliseconds)) == .success
    return state.withLock {
      if !isOpen { $0.waiting = max(0, $0.waiting - 1) }
      guard !isUrgent || !$0.isClosed else { return false }
      $0.readers += 1
      return true
    }
  }

  func leave() { state.withLock { $0.readers -= 1 } }

  private static let patienceMilliseconds = 200
}
