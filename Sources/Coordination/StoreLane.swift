internal import Dispatch
internal import JobStorage
internal import ZeroMQTransport

/// Runs the store's calls one after the other, away from the event loop, so that a store that is slow or hangs never
/// keeps the coordinator from its sockets. Answers are fetched by the loop after `wake`.
///
/// A store in memory answers at once and is called where it is asked: there is nothing to wait for.
final class StoreLane: @unchecked Sendable {
  typealias Answer = () -> Void

  private let store: any JobStore
  private let queue: DispatchQueue?
  private let wake: WakeUp
  /// Guarded by `lock`.
  private var answers: [Answer] = []
  private let lock = DispatchSemaphore(value: 1)

  init(store: any JobStore, inline: Bool, wake: WakeUp) {
    self.store = store
    self.wake = wake
    queue = inline ? nil : DispatchQueue(label: "carbontube.store")
  }

  /// Calls `work` with the store, then `answer` with what came of it, from `deliverAnswers` in the loop's thread.
  func submit<Value>(
    _ work: @escaping (any JobStore) throws(StoreError) -> Value,
    answer: @escaping (Result<Value, StoreError>) -> Void
  ) {
    guard let queue else {
      let result = Self.result(of: work, on: store)
      answers.append { answer(result) }
      return
    }
    let sent = SentCall(work: work, answer: answer)
    queue.async { [self] in
      let result = Self.result(of: sent.work, on: store)
      lock.wait()
      answers.append { sent.answer(result) }
      lock.signal()
      wake.signal()
    }
  }

  /// The loop's thread: hands over what has been answered. Answers may submit again.
  /// - Returns: false where there was nothing.
  func deliverAnswers() -> Bool {
    lock.wait()
    let ready = answers
    answers.removeAll(keepingCapacity: true)
    lock.signal()
    for answer in ready { answer() }
    return !ready.isEmpty
  }

  /// Waits until everything submitted so far is done.
  func drain() { queue?.sync {} }

  private static func result<Value>(
    of work: (any JobStore) throws(StoreError) -> Value, on store: any JobStore
  ) -> Result<Value, StoreError> {
    do throws(StoreError) { return .success(try work(store)) } catch { return .failure(error) }
  }
}

/// The closures were made by the loop's thread, are run on the lane one at a time, and their answers return to the loop.
private struct SentCall<Value>: @unchecked Sendable {
  let work: (any JobStore) throws(StoreError) -> Value
  let answer: (Result<Value, StoreError>) -> Void
}
