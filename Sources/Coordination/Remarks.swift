internal import PipelineModel

/// Something that would be said far too often: said once a minute, with how often it happened. A pure value.
struct RepeatedRemark {
  static let interval: Int64 = 60_000

  private var lastAt: Instant?
  private var count = 0

  /// - Returns: how often it happened since it was last said; nil where it is not to be said now.
  mutating func note(now: Instant) -> Int? {
    count += 1
    if let lastAt, now - lastAt < Self.interval { return nil }
    defer { count = 0 }
    lastAt = now
    return count
  }
}

/// Which failed attempts are worth a line: all as long as they are few. Jobs may fail by the thousand, and each line costs
/// the loop. A pure value.
struct FailureRemarks {
  let perSecond: Int

  private var second = Instant(milliseconds: .min)
  private var said = 0
  private(set) var suppressed = 0

  init(perSecond: Int) { self.perSecond = perSecond }

  /// - Returns: true where this one may be said.
  mutating func allows(now: Instant) -> Bool {
    if now - second >= 1_000 {
      second = now
      said = 0
    }
    said += 1
    if said > perSecond { suppressed += 1 }
    return said <= perSecond
  }

  /// How many were not said since the last call.
  mutating func takeSuppressed() -> Int {
    defer { suppressed = 0 }
    return suppressed
  }
}
