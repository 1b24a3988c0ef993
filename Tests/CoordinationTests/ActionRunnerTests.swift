import JobStorage
import PipelineModel
import Testing

@testable import Coordination

@Suite struct ActionRunnerTests {
  private let start = Instant(milliseconds: 0)
  private var runner = ActionRunner(now: Instant(milliseconds: 0))
  private let asker = Requester(route: [1], request: 1)
  private let other = Requester(route: [2], request: 9)

  private mutating func begin(_ id: String, _ verb: LongAction.Verb = .change(.delete)) {
    let action = LongAction(
      id: id, verb: verb, filter: JobFilter(states: [.dead]), startedAt: Timestamp(milliseconds: 0), began: start)
    let isBegun = runner.begin(action, for: asker)
    #expect(isBegun)
  }

  private mutating func step(_ turn: Int = 1, at now: Instant) -> String? { runner.beginStep(turn: turn, now: now)?.id }

  private mutating func end(_ id: String, next: String? = nil, at now: Instant) -> [ActionRunner.Telling.What] {
    runner.stepEnded(id, changed: 1, examined: 2, next: next, microseconds: 5_000, now: now).map(\.what)
  }

  @Test mutating func anActionThatEndsSoonIsAnsweredOnce() {
    begin("a")
    #expect(step(at: start) == "a")
    #expect(end("a", next: "x", at: start).isEmpty)
    #expect(step(at: start) == "a")
    let told = runner.stepEnded("a", changed: 3, examined: 3, next: nil, microseconds: 1, now: start)
    #expect(told.map(\.to) == [asker] && told.map(\.what) == [.end] && told.first?.action.changed == 4)
    #expect(runner.tellDue(now: start + 10_000).isEmpty)
  }

  @Test mutating func oneThatTakesLongIsToldOfAndGoesOn() {
    begin("a")
    #expect(runner.tellDue(now: start + 2_000).isEmpty)
    #expect(runner.tellDue(now: start + 2_001).map(\.what) == [.progress])
    #expect(runner.requester(of: "a") == nil)
    #expect(step(at: start + 2_002) == "a")
    #expect(end("a", at: start + 2_003).isEmpty)
  }

  @Test mutating func stepsLeaveTimeToTurnsThatGo() {
    begin("a")
    #expect(runner.isStepDue(turn: 7, now: start) && runner.nextStepAt == start)
    #expect(step(7, at: start) == "a")
    #expect(!runner.isStepDue(turn: 7, now: start) && runner.nextStepAt == nil)
    _ = end("a", next: "x", at: start)
    #expect(runner.isStepDue(turn: 7, now: start + 1))
    #expect(!runner.isStepDue(turn: 8, now: start + 1))
    #expect(step(8, at: start + 1) == nil)
    #expect(step(8, at: start + 10) == "a")
  }

  @Test mutating func whoStopsAnActionHearsOnceItsStepIsBack() {
    begin("a")
    _ = step(at: start)
    #expect(runner.stop("a", for: other, now: start).isEmpty)
    let told = runner.stepEnded("a", changed: 5, examined: 5, next: "x", microseconds: 1, now: start)
    #expect(told.map(\.to) == [asker, other] && told.map(\.what) == [.progress, .progress])
    #expect(told.last?.action.changed == 5 && told.last?.action.state == .stopped)
    #expect(runner.stop("a", for: other, now: start).map(\.to) == [other])
  }

  @Test mutating func aStoreThatIsAwayHoldsUpWhatIsInTheBackgroundAndEndsTheRest() {
    begin("a")
    _ = step(at: start)
    #expect(runner.stepFailed("a", "gone", isTransient: true, now: start).map(\.what) == [.failure])
    begin("b")
    _ = runner.tellDue(now: start + 3_000)
    _ = step(at: start + 3_000)
    #expect(runner.stepFailed("b", "gone", isTransient: true, now: start + 3_000).isEmpty)
    #expect(step(at: start + 3_000) == "b")
    #expect(runner.stepFailed("b", "broken", isTransient: false, now: start + 3_000).isEmpty)
    #expect(runner["b"]?.state == .failed && runner["b"]?.error == "broken")
  }

  @Test mutating func aCountEndsWithItsPeerAndAChangeGoesOn() {
    begin("change")
    begin("count", .count)
    runner.drop([2])
    #expect(runner.requester(of: "count") == asker)
    runner.drop([1])
    #expect(runner["count"]?.state == .stopped && runner["change"]?.state == .running)
    #expect(runner.requester(of: "change") == nil)
  }

  @Test mutating func everybodyWhoWaitsIsTakenOnce() {
    begin("a")
    _ = step(at: start)
    _ = runner.stop("a", for: other, now: start)
    #expect(runner.takeRequesters() == [asker, other])
    #expect(runner.takeRequesters().isEmpty)
  }
}
