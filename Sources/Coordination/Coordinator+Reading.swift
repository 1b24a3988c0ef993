internal import ControlProtocol
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// Looking at the store, for whoever asks and for the coordinator itself.
extension Coordinator {
  /// For the coordinator itself: goes before what others ask for.
  func read<Value>(
    _ work: @escaping (any JobReader) throws(StoreError) -> Value,
    then: @escaping (Result<Value, StoreError>) -> Void
  ) {
    queries.read(work, then: then)
  }

  /// For somebody who asked. Answers `busy` where too much is being asked for.
  func read<Value>(
    for answer: Answer, _ work: @escaping (any JobReader) throws(StoreError) -> Value, then: @escaping (Value) -> Void
  ) {
    let read = Read(work) { result in
      switch result {
      case .success(let value): then(value)
      case .failure(let error): answer.send(error.kind == .badCursor ? .invalid : .unavailable, error.message)
      }
    } refuse: {
      answer.send(.busy, $0)
    }
    guard queries.add(read, of: answer.requester.route) else {
      return answer.send(.busy, "too many requests are being worked on; try again later")
    }
  }

  /// Sends an answer that takes long to put into words.
  func send<V: Verb>(_ answer: AnswerTo<V>, payloads: [[UInt8]] = [], document: @escaping () -> V.Answer) {
    queries.prepare {
      Answer.payload(of: document())
    } then: { payload in
      answer.plain.send(.ok, payloads: [payload] + payloads)
    }
  }

  /// Gives the idle reader its next read.
  func advanceReads() {
    guard queries.advance(isOpen: isOpen) else { return }
    executor.enqueue { [unowned self] in
      executor.submit({ store throws(StoreError) in try store.makeReader() }) { [unowned self] in queries.use($0) }
    }
  }

  /// One read between two turns, for a store without a reader of its own.
  /// - Returns: false where there is none for now.
  func readThroughStore() -> Bool {
    guard let (read, ended) = queries.takeForStore() else { return false }
    executor.submit({ store throws(StoreError) -> (outcome: Read.Outcome, microseconds: Int64) in
      let watch = StopWatch()
      return (read.work(store), watch.microseconds)
    }) { result in
      guard case .success(let done) = result else { return ended(0) }
      ended(done.microseconds)
      done.outcome.deliver()
    }
    return true
  }

  /// Calls `then` once `counts` are fresh; see `FreshCounts.ask`.
  func askCounts(then: @escaping (Bool) -> Void) {
    guard isOpen else { return then(false) }
    freshCounts.ask(now: moment().instant, then: then)
  }

  var counts: StoreCounts { freshCounts.latest }

  /// The store is slow: whoever waits for counts gets those of before.
  func answerLateRequests(now: Moment) {
    freshCounts.answerLate(now: now.instant)
    say(actions.tellDue(now: now.instant))
    awaited.dropExpired(now: now.instant)
  }
}
