internal import Dispatch
internal import Synchronization

/// How many requests of a client may be without an answer at a time. Whoever finds it full may wait: a thread or a task,
/// served in the order of their coming.
final class RequestWindow: Sendable {
  private enum Waiter {
    case thread(DispatchSemaphore)
    case task(UInt64, CheckedContinuation<Bool, Never>)
  }

  private struct State {
    var free: Int
    var waiting: [Waiter] = []
    var nextTask: UInt64 = 0
    /// Tasks that were cancelled before they had begun to wait.
    var cancelled: Set<UInt64> = []
  }

  private let state: Mutex<State>

  init(places: Int) { state = Mutex(State(free: places)) }

  /// Takes a place where one is free; never waits.
  func tryEnter() -> Bool {
    state.withLock { state in
      guard state.free > 0 else { return false }
      state.free -= 1
      return true
    }
  }

  /// Blocks until a place is taken.
  func enter() {
    let turn = DispatchSemaphore(value: 0)
    let mustWait = state.withLock { state in
      guard state.free == 0 else {
        state.free -= 1
        return false
      }
      state.waiting.append(.thread(turn))
      return true
    }
    if mustWait { turn.wait() }
  }

  /// Returns with a place taken; blocks no thread.
  /// - Throws: `CancellationError`, with no place taken.
  func enter() async throws {
    let number = state.withLock { state in
      state.nextTask += 1
      return state.nextTask
    }
    let hasEntered = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in wait(number, continuation) }
    } onCancel: {
      giveUp(number)
    }
    // A cancellation that came too late has left its number behind.
    state.withLock { _ = $0.cancelled.remove(number) }
    guard hasEntered else { throw CancellationError() }
  }

  /// Gives a place back: to whoever has waited longest.
  func leave() {
    let next: Waiter? = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    switch next {
    case .thread(let turn): turn.signal()
    case .task(_, let continuation): continuation.resume(returning: true)
    case nil: break
    }
  }

  private func wait(_ number: UInt64, _ continuation: CheckedContinuation<Bool, Never>) {
    let outcome: Bool? = state.withLock { state in
      if state.cancelled.remove(number) != nil { return false }
      if state.free > 0 {
        state.free -= 1
        return true
      }
      state.waiting.append(.task(number, continuation))
      return nil
    }
    if let outcome { continuation.resume(returning: outcome) }
  }

  private func giveUp(_ number: UInt64) {
    let continuation: CheckedContinuation<Bool, Never>? = state.withLock { state in
      for (index, waiter) in state.waiting.enumerated() {
        guard case .task(number, let continuation) = waiter else { continue }
        state.waiting.remove(at: index)
        return continuation
      }
      state.cancelled.insert(number)
      return nil
    }
    continuation?.resume(returning: false)
  }
}
