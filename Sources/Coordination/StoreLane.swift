internal import Dispatch
internal import JobStorage
internal import ZeroMQTransport

/// Runs the store's calls one after the other, away from the event loop, so that a store that is slow or hangs never
/// keeps the coordinator from its sockets. Answers are fetched by the loop after `wake`.
///
/// A store in memory answers at once and is called where it is asked: there is nothing to wait for. Brief calls of others
/// are made there as well while the store has been quick of late: handing one to another thread and hearing of its end
/// takes longer than such a call, and while little is to do nothing else waits for the loop.
final class StoreLane: @unchecked Sendable {
  typealias Answer = () -> Void

  private let store: any JobStore
  private let queue: DispatchQueue?
  private let wake: WakeUp
  /// Guarded by `lock`.
  private var answers: [Answer] = []
  /// Moving average of the calls' durations; guarded by `lock`. Until the first one is measured the store counts as slow.
  private var meanMicroseconds = 100_000.0
  private let lock = DispatchSemaphore(value: 1)

  /// A store that took longer than this on average is not waited for in the loop.
  private static let quickMicroseconds = 1_000.0

  init(store: any JobStore, inline: Bool, wake: WakeUp) {
    self.store = store
    self.wake = wake
    queue = inline ? nil : DispatchQueue(label: "carbontube.store")
  }

  /// Calls `work` with the store, then `answer` with what came of it, from `deliverAnswers` in the loop's thread. The
  /// next call is submitted after the answer of this one.
  func submit<Value>(
    _ work: @escaping (any JobStore) throws(StoreError) -> Value,
    answer: @escaping (Result<Value, StoreError>) -> Void
  ) {
    guard let queue else {
      let result = measured(work)
      return add { answer(result) }
    }
    let sent = SentCall(work: work, answer: answer)
    queue.async { [self] in
      let result = measured(sent.work)
      add { sent.answer(result) }
      wake.signal()
    }
  }

  /// Applies a turn, has `applied` hear of it, then flushes it where that is needed, and has `flushed` hear of that. The
  /// flush begins while what `applied` sends is on its way. A turn that failed is not flushed.
  ///
  /// - Parameters:
  ///   - isBrief: there is little to do, so that the loop may wait for it.
  ///   - flushing: somebody waits for what the turn wrote.
  func submit(
    _ turn: StoreTurn, isBrief: Bool, flushing: Bool,
    applied: @escaping (Result<StoreTurnResult, StoreError>) -> Void,
    flushed: @escaping (Result<Void, StoreError>) -> Void
  ) {
    let apply = SentCall(work: { store throws(StoreError) in try store.apply(turn) }, answer: applied)
    let flush = SentCall(
      work: { store throws(StoreError) in if flushing, store.needsFlush { try store.flush() } }, answer: flushed)
    guard let queue, !isBrief || !isQuick else {
      let result = measured(apply.work)
      add { apply.answer(result) }
      guard case .success = result else { return }
      return add { [self] in flush.answer(measured(flush.work)) }
    }
    queue.async { [self] in
      let result = measured(apply.work)
      add { apply.answer(result) }
      guard case .success = result else { return wake.signal() }
      // Without a flush the loop hears of both at once.
      if flushing, store.needsFlush { wake.signal() }
      let end = measured(flush.work)
      add { flush.answer(end) }
      wake.signal()
    }
  }

  private var isQuick: Bool {
    lock.wait()
    defer { lock.signal() }
    return meanMicroseconds < Self.quickMicroseconds
  }

  private func add(_ answer: @escaping Answer) {
    lock.wait()
    answers.append(answer)
    lock.signal()
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

  private func measured<Value>(
    _ work: (any JobStore) throws(StoreError) -> Value
  ) -> Result<Value, StoreError> {
    guard queue != nil else { return Self.result(of: work, on: store) }
    let start = ContinuousClock.now
    let result = Self.result(of: work, on: store)
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    let taken = Double(seconds) * 1e6 + Double(attoseconds) / 1e12
    lock.wait()
    meanMicroseconds = meanMicroseconds * 0.8 + taken * 0.2
    lock.signal()
    return result
  }

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
