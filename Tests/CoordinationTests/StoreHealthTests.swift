import JobStorage
import PipelineModel
import Testing

@testable import Coordination

@Suite struct StoreHealthTests {
  private let start = Instant(milliseconds: 0)
  private var health = StoreHealth(startedAt: Instant(milliseconds: 0), patience: 3_000)

  private func error(_ kind: StoreError.Kind, _ message: String = "full") -> StoreError {
    StoreError(kind, operation: "apply", message: message)
  }

  @Test mutating func atTheStartAStoreThatIsAwayGetsALittleTimeAndOneThatIsWrongNone() {
    let away = health.failed(error(.unavailable), now: start)
    let owned = health.failed(error(.ownedByAnother), now: start + 2_999)
    let late = health.failed(error(.ownedByAnother), now: start + 3_000)
    let wrong = health.failed(error(.misconfigured), now: start)
    // Nothing is said of a store that has not been open: whoever starts the coordinator is told in the end.
    #expect(away == .passing(message: nil) && owned == .passing(message: nil) && late == .final && wrong == .final)
  }

  @Test mutating func onceItWasOpenOnlyAnotherOwnerIsTheEnd() {
    let first = health.opened(now: start)
    let wrong = health.failed(error(.corrupt, "torn"), now: start + 60_000)
    let isOpen = health.isOpen
    let isFirstAgain = health.opened(now: start + 61_000)
    let owned = health.failed(error(.ownedByAnother), now: start + 62_000)
    #expect(first && !isFirstAgain && !isOpen && owned == .final)
    #expect(
      wrong == .passing(message: "torn; nothing is accepted until it is back, trying again by itself"))
  }

  @Test mutating func waitsStayLongUntilAWriteHasSucceeded() {
    _ = health.opened(now: start)
    _ = health.failed(error(.refusesWrites), now: start)
    #expect(health.condition == .down(reason: "full", retryAt: start + 100))
    for wait in [200, 400, 800, 1_600, 3_200, 5_000, 5_000] as [Int64] {
      _ = health.opened(now: start)
      let isBack = health.isBack(wrote: false, now: start + 9_999)
      let failure = health.failed(error(.refusesWrites), now: start)
      // The same again is no news.
      #expect(!isBack && failure == .passing(message: nil))
      #expect(health.condition == .down(reason: "full", retryAt: start + wait))
    }
    #expect(!health.isDueToOpen(now: start + 4_999) && health.isDueToOpen(now: start + 5_000))
    let other = health.failed(error(.unavailable, "gone"), now: start)
    let withoutOpening = health.isBack(wrote: true, now: start)
    #expect(other == .passing(message: "gone; trying again") && !withoutOpening)
  }

  @Test(arguments: [(true, Int64(0)), (false, StoreHealth.proof)])
  func itIsBackOnceItWroteOrDidNotFailForAWhile(wrote: Bool, after: Int64) {
    var health = StoreHealth(startedAt: start, patience: 0)
    _ = health.opened(now: start)
    _ = health.failed(error(.unavailable), now: start)
    _ = health.opened(now: start)
    let first = health.isBack(wrote: wrote, now: start + after)
    let second = health.isBack(wrote: wrote, now: start + after)
    #expect(first && !second)
    // The next outage begins with short waits.
    _ = health.failed(error(.unavailable), now: start)
    #expect(health.condition == .down(reason: "full", retryAt: start + 100))
  }
}

@Suite struct StoreScheduleTests {
  private let start = Instant(milliseconds: 0)
  private var schedule = StoreSchedule(now: Instant(milliseconds: 0))

  /// What begins where only `possible` has anything to do.
  private mutating func next(of possible: Set<StoreSchedule.Work>, at now: Instant) -> StoreSchedule.Work? {
    schedule.beginStep()
    let begun = schedule.choices(now: now).first { possible.contains($0) }
    schedule.noteBegun(begun, now: now)
    return begun
  }

  @Test mutating func ownershipGoesBeforeEverythingAndATurnProvesItAsWell() {
    let first = next(of: [.ownership, .turn], at: start)
    let second = next(of: [.ownership, .turn], at: start + 499)
    let third = next(of: [.ownership, .turn], at: start + 500)
    schedule.noteOwnership(now: start + 900)
    let fourth = next(of: [.ownership, .turn], at: start + 1_399)
    #expect(first == .ownership && second == .turn && third == .ownership && fourth == .turn)
  }

  @Test mutating func turnsAndEverythingElseAlternate() {
    schedule.noteOwnership(now: start)
    let work = (0..<6).map { _ in next(of: [.turn, .task], at: start) }
    #expect(work == [.turn, .task, .turn, .task, .turn, .task])
  }

  @Test mutating func eachKindOfBiteHasItsTurn() {
    schedule.noteOwnership(now: start)
    let work = (0..<8).map { _ in next(of: [.turn, .read, .action, .prune], at: start) }
    #expect(work == [.turn, .read, .turn, .action, .turn, .prune, .turn, .read])
  }

  @Test mutating func aStepOfTheLoopTakesOneBite() {
    schedule.noteOwnership(now: start)
    schedule.beginStep()
    schedule.noteBegun(.read, now: start)
    let after = schedule.choices(now: start)
    schedule.noteBegun(.turn, now: start)
    let later = schedule.choices(now: start)
    schedule.beginStep()
    #expect(after == [.turn, .task] && later == [.task, .turn])
    #expect(schedule.choices(now: start).contains(.prune))
  }

  @Test mutating func whatHasNothingToDoDoesNotHoldUpTheRest() {
    schedule.noteOwnership(now: start)
    let turns = (0..<3).map { _ in next(of: [.turn], at: start) }
    let nothing = next(of: [], at: start)
    let prunes = (0..<2).map { _ in next(of: [.prune], at: start) }
    #expect(turns == [.turn, .turn, .turn] && nothing == nil && prunes == [.prune, .prune])
  }
}
