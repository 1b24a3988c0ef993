internal import JobStorage
internal import PipelineModel

/// The counts of the store, and who waits for fresh ones: they are read for all of them at once. Used by the coordinator's
/// thread alone.
final class FreshCounts {
  /// Older counts are good enough after this long, in milliseconds.
  static let patience: Int64 = 1_000
  static let maximumWaiting = 256

  private struct Waiting {
    var since: Instant
    var then: (Bool) -> Void
  }

  /// As they were read last.
  private(set) var latest: StoreCounts
  private var isReading = false
  /// Came before the read that is under way; after it.
  private var waiting: [Waiting] = []
  private var next: [Waiting] = []
  private let queries: StoreQueries

  init(_ counts: StoreCounts, queries: StoreQueries) {
    latest = counts
    self.queries = queries
  }

  /// The store has told them of itself.
  func set(_ counts: StoreCounts) { latest = counts }

  /// Calls `then` once the counts are fresh, with true; with false at once where too many wait, or after a second where
  /// the store is slow.
  func ask(now: Instant, then: @escaping (Bool) -> Void) {
    guard next.count < Self.maximumWaiting else { return then(false) }
    next.append(Waiting(since: now, then: then))
    read()
  }

  private func read() {
    guard !isReading, !next.isEmpty else { return }
    isReading = true
    (waiting, next) = (next, [])
    queries.read { reader throws(StoreError) in
      try reader.counts()
    } then: { [unowned self] result in
      isReading = false
      let asked = waiting
      waiting = []
      var isFresh = false
      if case .success(let counts) = result { (latest, isFresh) = (counts, true) }
      for request in asked { request.then(isFresh) }
      read()
    }
  }

  /// The store is slow: whoever waits too long gets the counts of before.
  func answerLate(now: Instant) {
    let isLate = { (request: Waiting) in now - request.since > Self.patience }
    let late = (waiting + next).filter(isLate)
    waiting.removeAll(where: isLate)
    next.removeAll(where: isLate)
    for request in late { request.then(false) }
  }

  func answerAll() {
    let all = waiting + next
    (waiting, next) = ([], [])
    for request in all { request.then(false) }
  }
}
