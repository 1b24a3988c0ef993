internal import DequeModule
internal import Dispatch
internal import Synchronization

/// Calls hooks in order, in a thread of their own. Bounded in bytes: where hooks are slower than the jobs, the oldest news
/// of progress and log lines is dropped first, then the oldest news of jobs.
final class HookQueue: Sendable {
  typealias Call = @Sendable (PipelineHooks) -> Void

  static let maximumBytes = 64 << 20
  /// What a call costs beside what it carries.
  private static let overhead = 256

  private struct Waiting: Sendable {
    var body: Call
    var bytes: Int
  }

  private struct State {
    var calls: Deque<(body: Waiting, isPassing: Bool)> = []
    var bytes = 0
    var dropped = 0
    var isRunning = false
    var isClosed = false
    var isHurried = false
  }

  let hooks: PipelineHooks
  private let queue = DispatchQueue(label: "carbontube.hooks")
  private let state = Mutex(State())
  private let maximumBytes: Int
  private let ended = DispatchSemaphore(value: 0)

  init(_ hooks: PipelineHooks, maximumBytes: Int = HookQueue.maximumBytes) {
    self.hooks = hooks
    self.maximumBytes = maximumBytes
  }

  /// - Parameters:
  ///   - bytes: what the call holds on to.
  ///   - isPassing: news that a later call makes stale.
  func call(bytes: Int = 0, isPassing: Bool = false, _ body: @escaping Call) {
    let mustStart = state.withLock { state in
      guard !state.isClosed else { return false }
      let size = bytes + Self.overhead
      state.calls.append((Waiting(body: body, bytes: size), isPassing))
      state.bytes += size
      Self.shrink(&state, to: maximumBytes)
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if mustStart { queue.async { [self] in run() } }
  }

  private static func shrink(_ state: inout State, to limit: Int) {
    // Well below the limit, so that the next call does not look through all of them again.
    if state.bytes > limit { drop(&state, to: limit / 2) { $0 } }
    if state.bytes > limit { drop(&state, to: limit - limit / 8) { _ in true } }
  }

  private static func drop(_ state: inout State, to limit: Int, where isMeant: (Bool) -> Bool) {
    var kept: Deque<(body: Waiting, isPassing: Bool)> = []
    for call in state.calls {
      if state.bytes > limit, isMeant(call.isPassing) {
        state.bytes -= call.body.bytes
        state.dropped += 1
      } else {
        kept.append(call)
      }
    }
    state.calls = kept
  }

  private func run() {
    while let next = next() { next(hooks) }
  }

  private func next() -> Call? {
    state.withLock { state in
      guard let first = state.calls.popFirst() else {
        state.isRunning = false
        return nil
      }
      state.bytes -= first.body.bytes
      return first.body.body
    }
  }

  /// Calls that were dropped since the last time this was asked.
  func takeDropped() -> Int {
    state.withLock { state in
      defer { state.dropped = 0 }
      return state.dropped
    }
  }

  /// Waits for the hooks called so far, `seconds` at most or until `hurry`; what is left then is dropped.
  /// - Returns: how many calls were dropped.
  func close(within seconds: Int) -> Int {
    queue.async { [ended] in ended.signal() }
    if ended.wait(timeout: .now() + .seconds(seconds)) == .success, !state.withLock({ $0.isHurried }) { return 0 }
    return state.withLock { state in
      defer {
        state.calls.removeAll()
        state.bytes = 0
      }
      state.isClosed = true
      return state.calls.count
    }
  }

  /// Ends the wait of `close`. Any thread.
  func hurry() {
    state.withLock { $0.isHurried = true }
    ended.signal()
  }
}
