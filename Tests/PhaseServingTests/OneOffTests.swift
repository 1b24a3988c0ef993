import PipelineModel
import Testing

@testable import PhaseServing

@Suite struct OneOffTests {
  private func at(_ milliseconds: Int64) -> Instant { Instant(milliseconds: milliseconds) }

  @Test func `As many jobs as were asked for are begun, and no more`() {
    var limit = OneOff(maximumJobs: 3, idleMilliseconds: nil, endsWhenEmpty: false)
    #expect(limit.remainingJobs(ended: 0, running: 0) == 3 && limit.remainingJobs(ended: 1, running: 2) == 0)
    #expect(limit.remainingJobs(ended: 9, running: 9) == 0)
    let before = limit.reason(ended: 2, hasNothing: true, canBeGiven: true, now: at(1_000_000))
    let after = limit.reason(ended: 3, hasNothing: false, canBeGiven: true, now: at(1_000_000))
    #expect(before == nil && after == "as many as were asked for")
    #expect(
      OneOff(maximumJobs: nil, idleMilliseconds: nil, endsWhenEmpty: false).remainingJobs(ended: 7, running: 1) == .max)
  }

  @Test func `Nothing to do is counted from the last job, and from the start`() {
    var idle = OneOff(maximumJobs: nil, idleMilliseconds: 30_000, endsWhenEmpty: false)
    var reasons: [String?] = []
    for (now, hasNothing) in [
      (0, true), (29_999, true), (30_000, false), (40_000, true), (69_999, true), (70_000, true),
    ] {
      reasons.append(idle.reason(ended: 0, hasNothing: hasNothing, canBeGiven: false, now: at(Int64(now))))
    }
    #expect(reasons == [nil, nil, nil, nil, nil, "nothing to do for 30 s"])
  }

  @Test func `Empty is only what a coordinator has been seen to have nothing for`() {
    var empty = OneOff(maximumJobs: nil, idleMilliseconds: nil, endsWhenEmpty: true)
    var reasons: [String?] = []
    for (now, isKnown) in [(0, false), (60_000, false), (60_100, true), (62_099, true), (62_100, true)] {
      reasons.append(empty.reason(ended: 0, hasNothing: true, canBeGiven: isKnown, now: at(Int64(now))))
    }
    #expect(reasons == [nil, nil, nil, nil, "nothing waits any more"])
  }
}
