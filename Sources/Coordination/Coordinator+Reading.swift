internal import ControlProtocol
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// How the store is looked at: by a reader of its own where the store has one, else between two turns. A read that is slow
/// or fails is that read's failure, and says nothing about the store.
extension Coordinator {
  enum ReaderState {
    /// The store is asked itself.
    case none
    case own(any JobReader)
    /// It failed; another is made.
    case missing(retryAt: Instant)
  }

  private static var readerBackoff: Int64 { 500 }

  var readsOnLane: Bool { if case .none = reader { true } else { false } }

  /// For the coordinator itself: goes before what others ask for.
  func read<Value>(
    _ work: @escaping (any JobReader) throws(StoreError) -> Value,
    then: @escaping (Result<Value, StoreError>) -> Void
  ) {
    reads.addOwn(makeRead(work, then))
  }

  /// For somebody who asked. Answers `busy` where too much is being asked for.
  /// - Parameter goesOn: it is the next step of a read that was let in before.
  func read<Value>(
    for answer: Answer, goesOn: Bool = false,
    _ work: @escaping (any JobReader) throws(StoreError) -> Value, then: @escaping (Value) -> Void
  ) {
    let read = makeRead(work) { result in
      switch result {
      case .success(let value): then(value)
      case .failure(let error): answer.send(error.kind == .badCursor ? .invalid : .unavailable, error.message)
      }
    } refuse: {
      answer.send(.busy, $0)
    }
    guard reads.add(read, of: answer.route, now: moment().instant, goesOn: goesOn) else {
      return answer.send(.busy, "too many requests are being worked on; try again later")
    }
  }

  func makeRead<Value>(
    _ work: @escaping (any JobReader) throws(StoreError) -> Value,
    _ then: @escaping (Result<Value, StoreError>) -> Void, refuse: ((String) -> Void)? = nil
  ) -> Read {
    Read(
      work: { reader in
        let found = result { () throws(StoreError) in try work(reader) }
        if case .failure(let error) = found { return Read.Outcome(error: error) { then(found) } }
        return Read.Outcome(error: nil) { then(found) }
      },
      refuse: refuse ?? { reason in
        then(.failure(StoreError(.unavailable, operation: "read", message: reason)))
      })
  }

  /// Gives the idle reader its next read.
  func advanceReads(now: Moment) {
    for read in reads.takeExpired(now: now.instant) {
      read.refuse("the store's reader is too busy; try again later")
    }
    guard mayRead(now: now), case .open = condition else { return }
    switch reader {
    case .none: break
    case .missing(let retryAt): if now.instant >= retryAt { makeReader(now: now) }
    case .own(let reader):
      let isOwn = reads.hasOwn
      guard let read = reads.next() else { return }
      readBusy = true
      readLane.submit(read, to: reader) { [unowned self] error, microseconds in
        readBusy = false
        reads.end()
        if !isOwn { noteRead(microseconds) }
        if error?.kind == .unavailable { replaceReader() }
      }
    }
  }

  /// One read between two turns, for a store without a reader of its own.
  func readOnLane(now: Moment) -> Bool {
    guard readsOnLane, mayRead(now: now) else { return false }
    let isOwn = reads.hasOwn
    guard let read = reads.next() else { return false }
    readBusy = true
    laneBusy = true
    lane.submit({ store throws(StoreError) -> (outcome: Read.Outcome, microseconds: Int64) in
      let watch = StopWatch()
      return (read.work(store), watch.microseconds)
    }) { [unowned self] result in
      (readBusy, laneBusy) = (false, false)
      reads.end()
      guard case .success(let done) = result else { return }
      if !isOwn { noteRead(done.microseconds) }
      done.outcome.deliver()
    }
    return true
  }

  /// A read waits, and may begin now.
  func mayRead(now: Moment) -> Bool {
    guard !readBusy, !reads.isEmpty else { return false }
    if reads.hasOwn { return true }
    return !isPreparing && readShare.allows(now: now.instant, turn: turnNumber, isIdle: !isTurnInStore)
  }

  private func noteRead(_ microseconds: Int64) {
    readShare.took(microseconds: microseconds, turn: turnNumber, now: moment().instant)
  }

  /// Sends an answer that takes long to put into words: not the loop does that. Nothing more is read meanwhile, so that no
  /// more than one is on its way there.
  func send<V: Verb>(_ answer: AnswerTo<V>, payloads: [[UInt8]] = [], document: @escaping () -> V.Answer) {
    isPreparing = true
    readLane.prepare {
      Answer.payload(of: document())
    } then: { [unowned self] payload in
      isPreparing = false
      answer.plain.send(.ok, payloads: [payload] + payloads)
    }
  }

  private func replaceReader() {
    if case .own(let broken) = reader { readLane.close(broken) }
    reader = .missing(retryAt: moment().instant + Self.readerBackoff)
  }

  private func makeReader(now: Moment) {
    // Not asked for twice while the lane is busy.
    reader = .missing(retryAt: now.instant + 5_000)
    errands.append { [unowned self] in
      laneBusy = true
      lane.submit({ store throws(StoreError) in try store.makeReader() }) { [unowned self] result in
        laneBusy = false
        takeReader(result)
      }
    }
  }

  func takeReader(_ made: Result<(any JobReader)?, StoreError>) {
    switch made {
    case .success(let own?): reader = .own(own)
    case .success(nil): reader = .none
    case .failure: reader = .missing(retryAt: moment().instant + Self.readerBackoff)
    }
  }
}

/// Who waits for the counts, which are read for all of them at once.
struct CountsRequests {
  /// Older counts are good enough after this long, in milliseconds.
  static let patience: Int64 = 1_000
  static let maximum = 256

  struct Waiting {
    var since: Instant
    /// True where the counts were read after they had been asked for.
    var then: (Bool) -> Void
  }

  var isReading = false
  /// Came before the read that is under way; after it.
  var now: [Waiting] = []
  var next: [Waiting] = []
}

extension Coordinator {
  /// Calls `then` once `counts` are fresh, or at once where too many wait, or after a second where the store is slow.
  func askCounts(then: @escaping (Bool) -> Void) {
    guard case .open = condition, countsAsked.next.count < CountsRequests.maximum else { return then(false) }
    countsAsked.next.append(CountsRequests.Waiting(since: moment().instant, then: then))
    readCounts()
  }

  private func readCounts() {
    guard !countsAsked.isReading, !countsAsked.next.isEmpty else { return }
    countsAsked.isReading = true
    countsAsked.now = countsAsked.next
    countsAsked.next = []
    read { reader throws(StoreError) in
      try reader.counts()
    } then: { [unowned self] result in
      countsAsked.isReading = false
      let waiting = countsAsked.now
      countsAsked.now = []
      if case .success(let counts) = result { self.counts = counts }
      let isFresh = if case .success = result { true } else { false }
      for request in waiting { request.then(isFresh) }
      readCounts()
    }
  }

  /// The store is slow: whoever waits for counts gets those of before.
  func answerLateRequests(now: Moment) {
    let isLate = { (request: CountsRequests.Waiting) in now.instant - request.since > CountsRequests.patience }
    let late = (countsAsked.now + countsAsked.next).filter(isLate)
    countsAsked.now.removeAll(where: isLate)
    countsAsked.next.removeAll(where: isLate)
    for request in late { request.then(false) }
    answerLongActions(now: now)
    awaited.dropExpired(now: now.instant)
  }
}
