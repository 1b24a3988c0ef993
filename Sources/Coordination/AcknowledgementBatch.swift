internal import PipelineModel

/// Settled reports that their workers are still to be told of. A pure value: the coordinator sends what `take` returns.
///
/// A worker needs the news only to forget the report, so it may wait a little: each message wakes two threads there, at a
/// time when the processors have the next phase of the same job to run.
struct AcknowledgementBatch {
  static let patienceMilliseconds: Int64 = 5
  private static let most = 128

  private var tokens: [[UInt8]: [LeaseToken]] = [:]
  private var count = 0
  /// When the oldest has waited long enough; nil: nothing waits.
  private(set) var dueAt: Instant?

  mutating func add(_ token: LeaseToken, to route: [UInt8], now: Instant) {
    tokens[route, default: []].append(token)
    count += 1
    if dueAt == nil { dueAt = now + Self.patienceMilliseconds }
  }

  /// All of them, once they have waited long enough or are many.
  mutating func take(now: Instant, all: Bool = false) -> [[UInt8]: [LeaseToken]] {
    guard let due = dueAt, all || count >= Self.most || now >= due else { return [:] }
    defer { self = AcknowledgementBatch() }
    return tokens
  }
}
