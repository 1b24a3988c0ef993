import PipelineModel
import Testing

@testable import PhaseServing

@Suite("What the clocks showed when a run began")
struct ClockReadingTests {
  private let reading = ClockReading(
    timestamp: Timestamp(milliseconds: 1_000_000), instant: Instant(milliseconds: 500), nanoseconds: 500_400_000)

  @Test func `All clocks are set back, or forward, by what the monotonic one differs`() {
    let before = reading.at(497_400_000)
    #expect(before.timestamp == Timestamp(milliseconds: 999_997))
    #expect(before.instant == Instant(milliseconds: 497))
    #expect(before.nanoseconds == 497_400_000)
    #expect(reading.at(502_400_000).timestamp == Timestamp(milliseconds: 1_000_002))
    #expect(reading.at(500_399_000).instant == reading.instant)
  }

  @Test func `A number that no clock shows does not trap`() {
    #expect(reading.at(.max).nanoseconds == .max)
    #expect(reading.at(0).instant == Instant(milliseconds: 0))
  }
}
