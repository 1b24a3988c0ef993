/// What happened in one phase within one minute. Stores add what they are given to what they have; sums wrap around rather
/// than trap on what somebody else put into a store.
public struct PhaseMetrics: Hashable, Sendable {
  /// Unix time divided by 60 s.
  public var minute: Int64
  public var phase: Int
  public var enqueued = 0
  public var started = 0
  public var succeeded = 0
  public var failed = 0
  public var retried = 0
  public var crashed = 0
  public var dead = 0
  /// How long attempts ran.
  public var latency = DurationHistogram()
  /// How long jobs stood in the queue before they were given out.
  public var wait = DurationHistogram()

  public init(minute: Int64, phase: Int) {
    self.minute = minute
    self.phase = phase
  }

  public mutating func add(_ other: PhaseMetrics) {
    enqueued &+= other.enqueued
    started &+= other.started
    succeeded &+= other.succeeded
    failed &+= other.failed
    retried &+= other.retried
    crashed &+= other.crashed
    dead &+= other.dead
    latency.add(other.latency)
    wait.add(other.wait)
  }
}

/// Counts of durations in fixed buckets, so that histograms of different times and machines can be added.
public struct DurationHistogram: Hashable, Sendable {
  /// Upper ends of the buckets in microseconds, in a 1-2-5 series from 100 µs to 1,000 s; one more bucket holds
  /// what is longer.
  public static let bounds: [Int64] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
    5_000_000, 10_000_000, 20_000_000, 50_000_000, 100_000_000, 200_000_000, 500_000_000, 1_000_000_000,
  ]
  /// `bounds.count + 1` counts, not cumulative.
  public var counts: [Int]
  public var sumMicroseconds: Int64

  public init() {
    counts = Array(repeating: 0, count: Self.bounds.count + 1)
    sumMicroseconds = 0
  }

  public mutating func record(microseconds: Int64) {
    let bucket = Self.bounds.firstIndex { microseconds <= $0 } ?? Self.bounds.count
    counts[bucket] += 1
    sumMicroseconds &+= max(0, microseconds)
  }

  /// The upper end in microseconds of the bucket in which the duration lies that `fraction` of all do not exceed; nil
  /// without durations. What is beyond the last bucket counts as its lower end.
  public func percentile(_ fraction: Double) -> Int64? {
    let total = counts.reduce(0, &+)
    guard total > 0 else { return nil }
    let rank = max(1, Int((Double(total) * min(max(fraction, 0), 1)).rounded(.up)))
    var seen = 0
    for (bucket, count) in counts.enumerated() {
      seen &+= count
      if seen >= rank { return Self.bounds[min(bucket, Self.bounds.count - 1)] }
    }
    return nil
  }

  public mutating func add(_ other: DurationHistogram) {
    for (index, count) in zip(counts.indices, other.counts) { counts[index] &+= count }
    sumMicroseconds &+= other.sumMicroseconds
  }
}
