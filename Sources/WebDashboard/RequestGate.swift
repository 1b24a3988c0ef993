internal import Synchronization

/// Lets so many through at a time, has some wait for their turn, and tells all others that it is busy.
final class RequestGate: Sendable {
  struct Busy: Error {}

  private struct State {
    var inside = 0
    var last: UInt64 = 0
    /// In order of their numbers.
    var waiting: [(number: UInt64, turn: CheckedContinuation<Void, any Error>)] = []
    /// Cancelled before they had begun to wait.
    var cancelled: Set<UInt64> = []
  }

  private let limit: Int
  private let longestQueue: Int
  private let state = Mutex(State())
  private let watcher: (@Sendable (RequestGate) -> Void)?

  /// - Parameter watcher: called whenever one more is inside or waits.
  init(limit: Int, waiting: Int, watcher: (@Sendable (RequestGate) -> Void)? = nil) {
    self.limit = limit
    longestQueue = waiting
    self.watcher = watcher
  }

  /// Those that are inside, and those that wait.
  var load: (inside: Int, waiting: Int) { state.withLock { ($0.inside, $0.waiting.count) } }

  /// - Throws: `Busy`; `CancellationError` where the task is cancelled while it waits.
  func pass<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await enter()
    defer { leave() }
    try Task.checkCancellation()
    return try await body()
  }

  private func enter() async throws {
    let number = state.withLock { state in
      state.last += 1
      return state.last
    }
    defer { _ = state.withLock { $0.cancelled.remove(number) } }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { turn in
        let outcome = state.withLock { admit(number, turn, &$0) }
        watcher?(self)
        if let outcome { turn.resume(with: outcome) }
      }
    } onCancel: {
      let turn = state.withLock { state -> CheckedContinuation<Void, any Error>? in
        guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
          state.cancelled.insert(number)
          return nil
        }
        return state.waiting.remove(at: index).turn
      }
      turn?.resume(throwing: CancellationError())
    }
  }

  /// Nil: it waits.
  private func admit(
    _ number: UInt64, _ turn: CheckedContinuation<Void, any Error>, _ state: inout State
  ) -> Result<Void, any Error>? {
    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
    if state.inside < limit {
      state.inside += 1
      return .success(())
    }
    guard state.waiting.count < longestQueue else { return .failure(Busy()) }
    state.waiting.append((number, turn))
    return nil
  }

  private func leave() {
    let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
      guard !state.waiting.isEmpty else {
        state.inside -= 1
        return nil
      }
      return state.waiting.removeFirst().turn
    }
    next?.resume()
  }
}
