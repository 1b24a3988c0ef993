import JobStorage
import Testing

@Suite struct MetricsTests {
  @Test func percentilesAreUpperEndsOfBuckets() {
    var histogram = DurationHistogram()
    #expect(histogram.percentile(0.5) == nil)
    for duration in [50, 150, 150, 900, 2_000_000_000] as [Int64] { histogram.record(microseconds: duration) }
    #expect(histogram.percentile(0) == 100 && histogram.percentile(0.5) == 200)
    #expect(histogram.percentile(0.8) == 1_000 && histogram.percentile(1) == 1_000_000_000)
  }
}
