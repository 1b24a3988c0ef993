internal import DequeModule
internal import Dispatch
internal import Glibc
internal import Synchronization
internal import ZeroMQTransport

/// Does one thing after the other on a thread that gets a processor when nobody else wants it: by the kernel's scheduling
/// priority, which a queue of Dispatch does not set.
final class YieldingThread: Sendable {
  /// A tenth of the weight of a thread at 0, where both want the same processor; see setpriority(2), sched(7).
  private static let niceness: Int32 = 10

  private struct State {
    var waiting: Deque<@Sendable () -> Void> = []
    var isClosed = false
  }

  /// Outlives the owner until the thread has done what it was given.
  private final class Inbox: Sendable {
    let state = Mutex(State())
    let arrivals = DispatchSemaphore(value: 0)

    func next() -> (@Sendable () -> Void)? {
      while true {
        let (next, isClosed) = state.withLock { ($0.waiting.popFirst(), $0.isClosed) }
        if let next { return next }
        if isClosed { return nil }
        arrivals.wait()
      }
    }
  }

  private let inbox = Inbox()

  /// - Parameter yields: false for a thread like any other.
  init(name: String, yields: Bool = true) {
    let inbox = inbox
    let thread = LoopThread(name: name) {
      // Linux has a priority for each thread, and 0 means the calling one.
      if yields { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness) }
      while let work = inbox.next() { work() }
    }
    thread.detach()
  }

  deinit {
    inbox.state.withLock { $0.isClosed = true }
    inbox.arrivals.signal()
  }

  /// Any thread.
  func run(_ work: @escaping @Sendable () -> Void) {
    inbox.state.withLock { $0.waiting.append(work) }
    inbox.arrivals.signal()
  }

  /// Waits until everything given so far is done.
  func drain() {
    let done = DispatchSemaphore(value: 0)
    run { done.signal() }
    done.wait()
  }
}
