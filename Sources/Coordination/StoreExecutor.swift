internal import DequeModule
internal import Dispatch
internal import JobStorage
internal import PipelineModel
internal import Synchronization
internal import ZeroMQTransport

/// Runs the store's calls one after the other, away from the event loop, so that a store that is slow or hangs never
/// keeps the coordinator from its sockets. Answers are fetched by the loop after `wake`.
///
/// A store in memory answers at once and is called where it is asked: there is nothing to wait for. Brief calls of others
/// are made there as well while the store has been quick of late: handing one to another thread and hearing of its end
/// takes longer than such a call, and while little is to do nothing else waits for the loop.
final class StoreExecutor: @unchecked Sendable {
  private let store: any JobStore
  private let queue: DispatchQueue?
  private let answers: AnswerBox
  /// Moving average of the calls' durations. Until the first one is measured the store counts as slow.
  private let meanMicroseconds = Mutex(100_000.0)
  /// Something was submitted and is not answered yet. Touched by the loop's thread alone, as `tasks` is.
  private(set) var isBusy = false
  /// Brief work that waits for the executor to be idle, the oldest first.
  private var tasks: Deque<() -> Void> = []

  /// A store that took longer than this on average is not waited for in the loop.
  private static let quickMicroseconds = 1_000.0

  init(store: any JobStore, inline: Bool, wake: WakeUp) {
    self.store = store
    answers = AnswerBox(wake: wake)
    queue = inline ? nil : DispatchQueue(label: "carbontube.store")
  }

  /// Calls happen in the loop itself.
  var isInline: Bool { queue == nil }

  /// Has `task` submit its work when the executor is idle and the coordinator says so with `beginTask`.
  func enqueue(_ task: @escaping () -> Void) { tasks.append(task) }

  var hasTasks: Bool { !tasks.isEmpty }

  /// - Returns: false where no task waits.
  func beginTask() -> Bool {
    guard let task = tasks.popFirst() else { return false }
    task()
    return true
  }

  /// Calls `work` with the store, then `answer` with what came of it, from `deliverAnswers` in the loop's thread. The
  /// next call is submitted after the answer of this one.
  func submit<Value>(
    _ work: @escaping (any JobStore) throws(StoreError) -> Value,
    answer: @escaping (Result<Value, StoreError>) -> Void
  ) {
    isBusy = true
    guard let queue else {
      let result = measured(work)
      return answers.add { [self] in end { answer(result) } }
    }
    let sent = SentCall(work: work, answer: answer)
    queue.async { [self] in
      let result = measured(sent.work)
      answers.add(waking: true) { [self] in end { sent.answer(result) } }
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
    isBusy = true
    let apply = SentCall(work: { store throws(StoreError) in try store.apply(turn) }, answer: applied)
    let flush = SentCall(
      work: { store throws(StoreError) in if flushing, store.needsFlush { try store.flush() } }, answer: flushed)
    guard let queue, !isBrief || !isQuick else {
      let result = measured(apply.work)
      guard case .success = result else { return answers.add { [self] in end { apply.answer(result) } } }
      answers.add { apply.answer(result) }
      return answers.add { [self] in
        let flushed = measured(flush.work)
        end { flush.answer(flushed) }
      }
    }
    queue.async { [self] in
      let result = measured(apply.work)
      guard case .success = result else {
        return answers.add(waking: true) { [self] in end { apply.answer(result) } }
      }
      // Without a flush the loop hears of both at once.
      answers.add(waking: flushing && store.needsFlush) { apply.answer(result) }
      let flushed = measured(flush.work)
      answers.add(waking: true) { [self] in end { flush.answer(flushed) } }
    }
  }

  /// The loop's thread: what `answer` does may submit again.
  private func end(_ answer: () -> Void) {
    isBusy = false
    answer()
  }

  private var isQuick: Bool { meanMicroseconds.withLock { $0 < Self.quickMicroseconds } }

  /// The loop's thread: hands over what has been answered. Answers may submit again.
  /// - Returns: false where there was nothing.
  func deliverAnswers() -> Bool { answers.deliver() }

  /// Waits until everything submitted so far is done.
  func drain() { queue?.sync {} }

  private func measured<Value>(
    _ work: (any JobStore) throws(StoreError) -> Value
  ) -> Result<Value, StoreError> {
    guard queue != nil else { return result { () throws(StoreError) in try work(store) } }
    let watch = StopWatch()
    let result = result { () throws(StoreError) in try work(store) }
    let taken = Double(watch.microseconds)
    meanMicroseconds.withLock { $0 = $0 * 0.8 + taken * 0.2 }
    return result
  }
}

/// What `work` returned or threw.
func result<Value>(of work: () throws(StoreError) -> Value) -> Result<Value, StoreError> {
  do throws(StoreError) { return .success(try work()) } catch { return .failure(error) }
}

/// Measures how long something takes.
struct StopWatch {
  private let start = ContinuousClock.now

  var microseconds: Int64 {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }
}

/// Answers on their way from another thread to the loop.
final class AnswerBox: @unchecked Sendable {
  typealias Answer = () -> Void

  private let wake: WakeUp
  private let waiting = Mutex<[SentAnswer]>([])
  /// Empty, to be filled next: touched by the loop's thread alone, so that no answer needs an array made for it.
  private var spare: [SentAnswer] = []

  /// Made by the loop's thread, which is also where it is run.
  private struct SentAnswer: @unchecked Sendable { let run: Answer }

  init(wake: WakeUp) { self.wake = wake }

  /// Any thread.
  func add(waking: Bool = false, _ answer: @escaping Answer) {
    let sent = SentAnswer(run: answer)
    waiting.withLock { $0.append(sent) }
    if waking { wake.signal() }
  }

  /// The loop's thread.
  /// - Returns: false where there was nothing.
  func deliver() -> Bool {
    guard waiting.withLock({ !$0.isEmpty }) else { return false }
    var ready: [SentAnswer] = []
    swap(&ready, &spare)
    waiting.withLock { swap(&$0, &ready) }
    for answer in ready { answer.run() }
    ready.removeAll(keepingCapacity: true)
    spare = ready
    return true
  }
}

/// The closures were made by the loop's thread, are run on the executor one at a time, and their answers return to the loop.
private struct SentCall<Value>: @unchecked Sendable {
  let work: (any JobStore) throws(StoreError) -> Value
  let answer: (Result<Value, StoreError>) -> Void
}
