import Testing

@testable import PhaseServing

@Suite struct JobPaceTests {
  private func pace(milliseconds: Int64) -> JobPace {
    var pace = JobPace()
    pace.noteDuration(microseconds: milliseconds * 1_000)
    return pace
  }

  @Test func whatIsNotKnownYetIsNotFetchedAhead() {
    #expect(JobPace().depth == 1 && JobPace().sharedDepth == 1)
  }

  @Test func jobsThatTake20MillisecondsTogetherWaitForASlot() {
    #expect(pace(milliseconds: 5).depth == 5 && pace(milliseconds: 20).depth == 1)
    #expect(pace(milliseconds: 0).depth == 64)
  }

  @Test func besideOthersOneIsAheadUpToATenthOfASecond() {
    #expect(pace(milliseconds: 5).sharedDepth == 5)
    #expect(pace(milliseconds: 50).sharedDepth == 2 && pace(milliseconds: 50).depth == 1)
    #expect(pace(milliseconds: 99).sharedDepth == 2 && pace(milliseconds: 100).sharedDepth == 1)
  }
}
