internal import Dispatch
internal import Synchronization

/// An answer that somebody waits for: a thread in `wait`, or a task in `value`. Completed by the client's loop; a task that
/// is cancelled does not wait for that.
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
      switch state {
      case .over: return nil
      case .open:
        state = .over(outcome)
        return nil
      case .awaited(let waiter):
        state = .over(outcome)
        return waiter
      }
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
  /// - Throws: `PipelineClientError`, or `CancellationError` where the task was cancelled; what was asked may be done
  ///   nevertheless.
  func value() async throws -> [[UInt8]] {
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        whenOver { continuation.resume(returning: $0) }
      }
    } onCancel: {
      complete(.failure(.cancelled))
    }
    if case .failure(let error) = outcome, error == .cancelled { throw CancellationError() }
    return try outcome.get()
  }

  /// Calls back once, at once where there is an outcome already. One waiter at a time.
  func whenOver(_ waiter: @escaping @Sendable (Outcome) -> Void) {
    let present: Outcome? = state.withLock { state in
      if case .over(let outcome) = state { return outcome }
      state = .awaited(waiter)
      return nil
    }
    if let present { waiter(present) }
  }
}
