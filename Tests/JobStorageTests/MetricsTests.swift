import JobStorage
import PipelineModel
import Testing

@Suite struct MetricsTests {
  @Test func percentilesAreUpperEndsOfBuckets() {
    var histogram = DurationHistogram()
    #expect(histogram.percentile(0.5) == nil)
    for duration in [50, 150, 150, 900, 2_000_000_000] as [Int64] { histogram.record(microseconds: duration) }
    #expect(histogram.percentile(0) == 100 && histogram.percentile(0.5) == 200)
    #expect(histogram.percentile(0.8) == 1_000 && histogram.percentile(1) == 1_000_000_000)
  }

  @Test(arguments: StoreUnderTest.all)
  func metricsOfOneMinuteAddUp(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let (first, second) = (sample(minute: 7, phase: 1, 1), sample(minute: 7, phase: 1, 100))
    try scene.turn { $0.metrics = [first] }
    try scene.turn { $0.metrics = [second, second] }
    var sum = first
    sum.add(second)
    sum.add(second)
    #expect(try scene.store.metrics(minutes: 7...7) == [sum])
    try scene.reopen()
    #expect(try scene.store.metrics(minutes: 7...7) == [sum])
  }

  @Test(arguments: StoreUnderTest.all)
  func metricsComeByMinuteAndPhase(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let samples = [(12, 0), (9, 2), (10, 1), (9, 0), (100, 0), (8, 0)].map { sample(minute: $0, phase: $1, 3) }
    try scene.turn { $0.metrics = samples }
    let found = try scene.store.metrics(minutes: 9...99)
    #expect(found == [samples[3], samples[1], samples[2], samples[0]])
    #expect(try scene.store.metrics(minutes: 0...7).isEmpty)
    #expect(try scene.store.metrics(minutes: 0 ... .max).count == 6)
  }

  @Test(arguments: StoreUnderTest.all)
  func oldMetricsArePruned(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.turn { $0.metrics = (1...5).map { sample(minute: $0, phase: Int($0) % 3, 1) } }
    #expect(try scene.store.prune(RetentionPolicy(), metricsBefore: 4, limit: 0, now: scene.now) == 0)
    #expect(try scene.store.metrics(minutes: 0...9).map(\.minute) == [4, 5])
  }

  /// Another number in every field.
  private func sample(minute: Int64, phase: Int, _ seed: Int) -> PhaseMetrics {
    var metrics = PhaseMetrics(minute: minute, phase: phase)
    metrics.enqueued = seed
    metrics.started = seed + 1
    metrics.succeeded = seed + 2
    metrics.failed = seed + 3
    metrics.retried = seed + 4
    metrics.crashed = seed + 5
    metrics.dead = seed + 6
    for exponent in 0..<24 { metrics.latency.record(microseconds: Int64(seed) << Int64(exponent)) }
    metrics.wait.record(microseconds: 1 << 50)
    metrics.wait.record(microseconds: 0)
    return metrics
  }
}
