internal import Dispatch
internal import Synchronization

/// An answer that somebody waits for: a thread in `wait`, or a task in `value`. Completed once, by the client's loop.
final class PendingReply: Sendable {
  typealias Outcome = Result<[[UInt8]], PipelineClientError>

  private enum State {
    case open
    case awaited(@Sendable (Outcome) -> Void)
    case over(Outcome)
  }

  private let state = Mutex(State.open)

  func complete(_ outcome: Outcome) {
    let waiter: (@Sendable (Outcome) -> Void)? = state.withLock { state in
      defer { state = .over(outcome) }
      guard case .awaited(let waiter) = state else { return nil }
      return waiter
    }
    waiter?(outcome)
  }

  /// Blocks. One waiter at a time.
  func wait() throws(PipelineClientError) -> [[UInt8]] {
    let done = DispatchSemaphore(value: 0)
    whenOver { _ in done.signal() }
    done.wait()
    guard case .over(let outcome) = state.withLock({ $0 }) else { return [] }
    return try outcome.get()
  }

  /// Blocks no thread. One waiter at a time.
  func value() async throws(PipelineClientError) -> [[UInt8]] {
    let outcome = await withCheckedContinuation { continuation in
      whenOver { continuation.resume(returning: $0) }
    }
    return try outcome.get()
  }

  private func whenOver(_ waiter: @escaping @Sendable (Outcome) -> Void) {
    let present: Outcome? = state.withLock { state in
      if case .over(let outcome) = state { return outcome }
      state = .awaited(waiter)
      return nil
    }
    if let present { waiter(present) }
  }
}
