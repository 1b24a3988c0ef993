internal import JobStorage
internal import PipelineModel
internal import ZeroMQTransport

/// How the store is looked at: by a reader of its own where the store has one, else between two turns. A read that is slow
/// or fails is that read's failure, and says nothing about the store. Used by the coordinator's thread alone.
final class StoreQueries {
  /// What the coordinator is at, on which the share of the time for reads depends.
  struct Progress {
    var now: Instant
    /// The number of the turn that is being gathered.
    var turn: Int
    var isTurnInStore: Bool
  }

  private enum Reader {
    /// The store is asked itself.
    case none
    case own(any JobReader)
    /// It failed; another is made.
    case missing(retryAt: Instant)
  }

  private static let readerBackoff: Int64 = 500
  /// How long a store may take to make a reader before it is asked for another, in milliseconds.
  private static let readerPatience: Int64 = 5_000

  private var reader = Reader.none
  private var queue = ReadQueue<Read>()
  private var isReading = false
  /// A large answer is being put into words.
  private var isPreparing = false
  private var share = ReadShare(rest: 19)
  private let executor: ReadExecutor
  private let progress: () -> Progress

  /// - Parameters:
  ///   - yields: false where the pipeline itself waits for what is read.
  ///   - progress: asked in the coordinator's thread.
  init(wake: WakeUp, yields: Bool, progress: @escaping () -> Progress) {
    executor = ReadExecutor(wake: wake, yields: yields)
    self.progress = progress
  }

  // MARK: - What is asked for

  /// For the coordinator itself: goes before what others ask for.
  func read<Value>(
    _ work: @escaping (any JobReader) throws(StoreError) -> Value,
    then: @escaping (Result<Value, StoreError>) -> Void
  ) {
    queue.addOwn(
      Read(work, then: then) { reason in
        then(.failure(StoreError(.unavailable, operation: "read", message: reason)))
      })
  }

  /// For whoever is at `route`.
  /// - Parameter goesOn: it is the next step of a read that was let in before.
  /// - Returns: false where too much is being asked for: the read will not be done.
  func add(_ read: Read, of route: [UInt8], goesOn: Bool = false) -> Bool {
    queue.add(read, of: route, now: progress().now, goesOn: goesOn)
  }

  /// Nobody is there any more to hear the answers.
  func drop(_ route: [UInt8]) { queue.drop(route) }

  /// Puts an answer into words that takes long to put there: not the loop does that. Nothing more is read meanwhile, so
  /// that no more than one is on its way there.
  func prepare(_ work: @escaping () -> [UInt8], then: @escaping ([UInt8]) -> Void) {
    isPreparing = true
    executor.prepare(work) { [unowned self] bytes in
      isPreparing = false
      then(bytes)
    }
  }

  // MARK: - What is done

  /// Calls back those that were asked for and are done.
  func deliverAnswers() { _ = executor.deliverAnswers() }

  /// Gives the idle reader its next read.
  /// - Returns: true where a reader is to be made by the store, and handed to `take`.
  func advance(isOpen: Bool) -> Bool {
    let progress = progress()
    for read in queue.takeExpired(now: progress.now) {
      read.refuse("the store's reader is too busy; try again later")
    }
    guard isOpen, mayRead(progress) else { return false }
    switch reader {
    case .none: return false
    case .missing(let retryAt):
      guard progress.now >= retryAt else { return false }
      reader = .missing(retryAt: progress.now + Self.readerPatience)
      return true
    case .own(let reader):
      submitNext(to: reader)
      return false
    }
  }

  private func submitNext(to reader: any JobReader) {
    let isOwn = queue.hasOwn
    guard let read = queue.next() else { return }
    isReading = true
    executor.submit(read, to: reader) { [unowned self] error, microseconds in
      end(isOwn: isOwn, microseconds)
      if error?.kind == .unavailable { replaceReader() }
    }
  }

  private func mayRead(_ progress: Progress) -> Bool {
    guard !isReading, !queue.isEmpty else { return false }
    if queue.hasOwn { return true }
    return !isPreparing && share.allows(now: progress.now, turn: progress.turn, isIdle: !progress.isTurnInStore)
  }

  private func end(isOwn: Bool, _ microseconds: Int64) {
    isReading = false
    queue.end()
    guard !isOwn else { return }
    let progress = progress()
    share.took(microseconds: microseconds, turn: progress.turn, now: progress.now)
  }

  // MARK: - Between two turns

  /// A store without a reader of its own could be asked something now.
  var wantsTheStore: Bool { readsByStore && mayRead(progress()) }

  private var readsByStore: Bool { if case .none = reader { true } else { false } }

  /// The next read for a store without a reader of its own; nil where there is none for now. Whoever takes it does it at
  /// the store and calls `ended`, which tells whether it is to be delivered.
  func takeForStore() -> (read: Read, ended: (Int64) -> Void)? {
    guard wantsTheStore else { return nil }
    let isOwn = queue.hasOwn
    guard let read = queue.next() else { return nil }
    isReading = true
    return (read, { [unowned self] microseconds in end(isOwn: isOwn, microseconds) })
  }

  // MARK: - The reader

  /// A store that has been opened anew need not make a reader where there is one.
  var needsReader: Bool { if case .own = reader { false } else { true } }

  func use(_ made: Result<(any JobReader)?, StoreError>) {
    switch made {
    case .success(let own?): reader = .own(own)
    case .success(nil): reader = .none
    case .failure: reader = .missing(retryAt: progress().now + Self.readerBackoff)
    }
  }

  private func replaceReader() {
    if case .own(let broken) = reader { executor.close(broken) }
    reader = .missing(retryAt: progress().now + Self.readerBackoff)
  }

  // MARK: - The end

  /// When the next read may begin; nil where none waits for that.
  var restsUntil: Instant? { queue.isEmpty ? nil : share.restsUntil }

  /// Nothing waits, and nothing is being read; or nobody is there to read it.
  var isIdle: Bool {
    if case .missing = reader { return true }
    return queue.isEmpty && !isReading
  }

  func refuseAll(_ message: String) { for read in queue.takeAll() { read.refuse(message) } }

  func close() { if case .own(let reader) = reader { executor.close(reader) } }

  /// Waits until what was begun is done.
  func drain() { executor.drain() }
}
