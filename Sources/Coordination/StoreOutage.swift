internal import PipelineModel

/// How a store that fails is tried again, and what the log says of it. A pure value.
///
/// A store that opens and then refuses to write (a full disk) is as much away as one that does not open: until a write has
/// succeeded the waits stay long and nobody is told that it is back.
struct StoreOutage {
  static let shortest: Int64 = 100
  static let longest: Int64 = 5_000
  /// A store that has been open this long and was asked to write nothing counts as back.
  static let proof: Int64 = 10_000

  private var backoff: Int64
  private(set) var reason: String
  private var openedAt: Instant?

  init(reason: String) {
    self.reason = reason
    backoff = Self.shortest
  }

  /// It failed again.
  /// - Returns: true where the reason is another one, which is worth a line.
  mutating func failedAgain(reason: String) -> Bool {
    defer { self.reason = reason }
    backoff = min(backoff * 2, Self.longest)
    openedAt = nil
    return reason != self.reason
  }

  func retryAt(now: Instant) -> Instant { now + backoff }

  mutating func opened(now: Instant) { openedAt = now }

  /// - Parameter wrote: something was written just now.
  func isOver(wrote: Bool, now: Instant) -> Bool {
    guard let openedAt else { return false }
    return wrote || now - openedAt >= Self.proof
  }
}
