internal import PipelineModel

/// When finished jobs beyond the limits are removed, and how many at a time. A pure value.
///
/// In small bites, as jobs finish: so that the limits hold at any rate, and no turn waits long for a bite.
struct PruneSchedule {
  /// Every so many jobs that finished, or milliseconds.
  static let finishedPerBite = 250
  static let interval: Int64 = 5_000

  private(set) var size = StepSize()
  private var finished = 0
  private var nextAt: Instant
  /// The last bite found as many as it could take.
  private var isBehind = false

  init(now: Instant) { nextAt = now }

  mutating func noteFinished(_ count: Int) { finished += count }

  func isDue(now: Instant) -> Bool { isBehind || finished >= Self.finishedPerBite || now >= nextAt }

  mutating func begin(now: Instant) {
    finished = 0
    nextAt = now + Self.interval
  }

  mutating func end(pruned: Int, limit: Int, microseconds: Int64) {
    isBehind = pruned >= limit
    size.note(examined: pruned, microseconds: microseconds)
  }
}
