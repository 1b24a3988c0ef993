import PipelineModel
import Testing

@Suite struct TypicalDurationTests {
  private var duration = TypicalDuration()

  private mutating func note(_ samples: Int64...) {
    for sample in samples { duration.note(microseconds: sample) }
  }

  @Test mutating func theFirstSampleIsTaken() {
    #expect(duration.microseconds == nil)
    note(700)
    #expect(duration.microseconds == 700)
  }

  @Test mutating func aFewRunsThatWaitedForAProcessorSayNothing() throws {
    for _ in 0..<50 { note(10, 10, 10, 10, 10, 10, 10, 10, 10, 20_000) }
    #expect(try #require(duration.microseconds) < 12)
  }

  @Test mutating func whatHasBecomeSlowIsNoticed() throws {
    note(10)
    for _ in 0..<30 { note(100) }
    #expect(try #require(duration.microseconds) > 80)
  }

  @Test mutating func aSlowStartIsForgotten() throws {
    note(100_000)
    for _ in 0..<90 { note(10) }
    #expect(try #require(duration.microseconds) < 20)
  }

  @Test mutating func aClockThatStoodStillIsNoReasonToStayAtZero() throws {
    note(0)
    for _ in 0..<50 { note(100) }
    #expect(try #require(duration.microseconds) > 50)
  }
}
