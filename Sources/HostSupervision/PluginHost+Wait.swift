import Glibc
public import HostProtocol

/// How a blocking wait for a child ended.
public enum HostWait<Value: Sendable>: Sendable {
  case value(Value)
  /// The child ended, or sent nonsense, before what was waited for came.
  case ended(HostExit, malformed: String?)
  case timedOut
}

extension PluginHost {
  /// Blocks until `take` gives a value for an event. Events after it stay unread only if they came later: those that
  /// arrived together with it are lost, so wait for the last of what you want.
  /// - Parameters:
  ///   - timeout: then `.timedOut`; the child lives on, `kill()` it if it should not.
  ///   - take: sees every event in order until it returns a value.
  public func wait<Value: Sendable>(
    upTo timeout: Duration, for take: (HostEvent) -> Value?
  ) -> HostWait<Value> {
    let start = monotonicNanoseconds()
    var malformed: String?
    if isClosed { return .ended(finish(), malformed: nil) }
    while true {
      flush()
      for event in receive() {
        if let value = take(event) {
          drainStandardError()
          return .value(value)
        }
        if case .malformed(let reason) = event { malformed = reason }
        if case .closed = event { return .ended(finish(), malformed: malformed) }
      }
      drainStandardError()
      let rest = timeout - .nanoseconds(Int64(clamping: monotonicNanoseconds() - start))
      guard rest > .zero else { return .timedOut }
      pollOnce(for: rest)
    }
  }

  private func pollOnce(for time: Duration) {
    let events = Int16(POLLIN) | (wantsWrite ? Int16(POLLOUT) : 0)
    var polled = [
      pollfd(fd: channel, events: events, revents: 0),
      pollfd(fd: processDescriptor, events: Int16(POLLIN), revents: 0),
      // A negative descriptor is passed over.
      pollfd(fd: standardErrorIsOpen ? standardError : -1, events: Int16(POLLIN), revents: 0),
    ]
    let (seconds, attoseconds) = time.components
    let milliseconds = min(seconds, 3_600) * 1_000 + attoseconds / 1_000_000_000_000_000 + 1
    poll(&polled, nfds_t(polled.count), Int32(milliseconds))
  }

  /// Blocks until the child is ready, or says why it is not.
  public func waitUntilReady(upTo timeout: Duration) -> HostWait<Result<LibraryDescription, HostRefusal>> {
    wait(upTo: timeout) { event in
      switch event {
      case .ready(let library): .success(library)
      case .refused(let refusal): .failure(refusal)
      default: nil
      }
    }
  }
}
