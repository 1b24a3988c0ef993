internal import Dispatch
internal import Synchronization

/// An answer that somebody waits for. Completed once, by the client's loop; waited for once, by anybody.
final class PendingReply: Sendable {
  private let outcome = Mutex<Result<[[UInt8]], PipelineClientError>?>(nil)
  private let done = DispatchSemaphore(value: 0)

  func complete(_ result: Result<[[UInt8]], PipelineClientError>) {
    outcome.withLock { $0 = result }
    done.signal()
  }

  func wait() throws(PipelineClientError) -> [[UInt8]] {
    done.wait()
    // Whoever waits again finds the answer too.
    done.signal()
    guard let result = outcome.withLock({ $0 }) else { return [] }
    return try result.get()
  }
}
