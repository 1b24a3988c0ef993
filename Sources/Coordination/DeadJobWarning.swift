internal import JobStorage
internal import PipelineModel

/// Dead jobs are kept until somebody looks at them, so that many of them are worth a word, once an hour. A pure value.
struct DeadJobWarning {
  static let maximumJobs = 100_000
  /// Of their instructions.
  static let maximumBytes = 1 << 30
  private static let interval: Int64 = 3_600_000

  private var lastAt: Instant?

  /// What is to be said of them; nil as long as they are few.
  static func text(on counts: StoreCounts) -> String? {
    let dead = counts.phases.reduce(0) { $0 + $1.dead }
    guard dead > maximumJobs || counts.deadBytes > maximumBytes else { return nil }
    return
      "\(dead) dead jobs of \(counts.deadBytes) bytes are kept; requeue or delete them, or limit them with --keep-dead"
  }

  /// The same where it is time to say it.
  mutating func due(on counts: StoreCounts, now: Instant) -> String? {
    guard let text = Self.text(on: counts) else { return nil }
    if let lastAt, now - lastAt < Self.interval { return nil }
    lastAt = now
    return text
  }
}
