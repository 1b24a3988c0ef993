import PipelineModel
import Synchronization
import Testing

@testable import Coordination

@Suite struct SteadyTimelineTests {
  @Test func dueTimesFollowTheMonotonicClock() {
    let timeline = SteadyTimeline(origin: Timestamp(milliseconds: 5_000_000), start: Instant(milliseconds: 70))
    #expect(timeline.time(at: Instant(milliseconds: 70)) == Timestamp(milliseconds: 5_000_000))
    #expect(timeline.time(at: Instant(milliseconds: 1_070)) == Timestamp(milliseconds: 5_001_000))
    #expect(timeline.time(at: .distantFuture).milliseconds > 5_000_000)
  }
}

@Suite struct CoordinatorClockTests {
  /// Moved by hand.
  private final class Hands: Sendable {
    private let at = Mutex((instant: Int64(0), wall: Int64(1_800_000_000_000)))

    var clocks: Clocks {
      Clocks(
        instant: { Instant(milliseconds: self.at.withLock { $0.instant }) },
        timestamp: { Timestamp(milliseconds: self.at.withLock { $0.wall }) })
    }

    func pass(_ milliseconds: Int64) {
      at.withLock { $0 = ($0.instant + milliseconds, $0.wall + milliseconds) }
    }

    func setWallClock(by milliseconds: Int64) { at.withLock { $0.wall += milliseconds } }
  }

  private let hands = Hands()

  @Test(arguments: [3_600_000, -3_600_000, 86_400_000 * 365, -86_400_000 * 365] as [Int64])
  func aStepOfTheWallClockNeitherHastensNorDelays(step: Int64) {
    var clock = CoordinatorClock(hands.clocks)
    let start = clock.moment()
    hands.setWallClock(by: step)
    hands.pass(10)
    let now = clock.moment()
    #expect(now.steady - start.steady == 10 && now.wall - start.wall == step + 10)
  }

  @Test func howFarTheyAreApartIsKeptWhileSomethingIsDelayed() {
    var clock = CoordinatorClock(hands.clocks)
    #expect(clock.offsetToStore(isAnythingDelayed: true) == nil)
    hands.setWallClock(by: -3_600_000)
    hands.pass(10)
    let offset = clock.offsetToStore(isAnythingDelayed: true)
    #expect(offset == 3_600_000)
    clock.stored(offset: 3_600_000)
    #expect(clock.offsetToStore(isAnythingDelayed: true) == nil)

    // The next coordinator goes on with the same timeline.
    var next = CoordinatorClock(hands.clocks)
    next.resume(offset: 3_600_000)
    #expect(next.moment().steady == clock.moment().steady)
    #expect(next.offsetToStore(isAnythingDelayed: true) == nil)

    // Once nothing is delayed it begins anew.
    #expect(next.offsetToStore(isAnythingDelayed: false) == 0)
    #expect(next.moment().steady == next.moment().wall)
  }

  @Test func aWallClockBefore1970IsTakenForItsBeginning() {
    hands.setWallClock(by: -1_900_000_000_000)
    var clock = CoordinatorClock(hands.clocks)
    #expect(clock.moment().wall == Timestamp(milliseconds: 0))
  }
}

@Suite struct ClockTrustTests {
  private let start: Int64 = 1_000_000
  private let age: Int64 = 7 * 86_400_000

  private func moment(_ elapsed: Int64, wall: Int64) -> Moment {
    let wall = Timestamp(milliseconds: 1_800_000_000_000 + wall)
    return Moment(instant: Instant(milliseconds: start + elapsed), wall: wall, steady: wall)
  }

  @Test func aYoungProcessBelievesNoClock() {
    let trust = ClockTrust(moment(0, wall: 0))
    #expect(!trust.allowsDeleting(olderThan: age, at: Instant(milliseconds: start + 899_999)))
    #expect(trust.allowsDeleting(olderThan: age, at: Instant(milliseconds: start + 900_000)))
    #expect(trust.allowsDeleting(olderThan: 2_000, at: Instant(milliseconds: start + 2_000)))
    #expect(!trust.allowsDeleting(olderThan: 2_000, at: Instant(milliseconds: start + 1_999)))
  }

  @Test(arguments: [3_600_000, -3_600_000, 5_001, -5_001, Int64.max / 4])
  func aClockThatStepsIsBelievedAgainAfterAWhile(step: Int64) {
    var trust = ClockTrust(moment(0, wall: 0))
    trust.observe(moment(900_000, wall: 900_000))
    #expect(trust.allowsDeleting(olderThan: age, at: Instant(milliseconds: start + 900_000)))
    trust.observe(moment(905_000, wall: 905_000 + step))
    #expect(!trust.allowsDeleting(olderThan: age, at: Instant(milliseconds: start + 905_000)))
    trust.observe(moment(910_000, wall: 910_000 + step))
    #expect(trust.allowsDeleting(olderThan: age, at: Instant(milliseconds: start + 1_805_000)))
  }

  @Test func aClockThatIsPutRightSlowlyIsBelieved() {
    var trust = ClockTrust(moment(0, wall: 0))
    for second in 1...1_000 {
      trust.observe(moment(Int64(second) * 1_000, wall: Int64(second) * 1_500))
    }
    #expect(trust.allowsDeleting(olderThan: age, at: Instant(milliseconds: start + 1_000_000)))
  }
}

@Suite struct HistoryStepsTests {
  @Test func aStepThatIsLongerThanTheSpanIsOneStep() {
    for (minutes, length) in [(1, 1_440), (60, 1_440), (7, 1), (10_080, 1), (10_080, 1_440), (1, 1)] as [(Int64, Int64)]
    {
      for present in [0, 1, 59, 29_733_123, 29_733_120] as [Int64] {
        let steps = HistorySteps(minutes: minutes, length: length, present: present)
        #expect(steps.range.upperBound == present)
        #expect(steps.range.lowerBound % steps.length == 0)
        #expect((1...HistorySteps.maximum + 1).contains(Int64(steps.starts.map { $0 }.count)))
        #expect(steps.index(of: present) == steps.starts.map { $0 }.count - 1)
      }
    }
  }
}
