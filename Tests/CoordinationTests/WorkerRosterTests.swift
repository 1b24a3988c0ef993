import PipelineModel
import Testing
import WireProtocol

@testable import Coordination

@Suite struct WorkerRosterTests {
  private var roster: WorkerRoster
  private let start = Instant(milliseconds: 1_000_000)

  init() throws {
    roster = WorkerRoster(
      pipeline: try PipelineDefinition(
        name: "p", phases: [PhaseDefinition(jobType: "cut"), PhaseDefinition(jobType: "glue", concurrencyLimit: 3)]))
  }

  private func id(_ name: String) throws -> WorkerID { try #require(WorkerID(name)) }

  private func announcement(
    _ name: String, _ jobType: String = "cut", slots: Int = 1, state: WorkerState = .serving, address: String? = nil,
    holds: [LeaseToken] = []
  ) throws -> Announcement {
    Announcement(
      worker: try id(name), pullAddress: address ?? "tcp://h:\(name.utf8.reduce(1_000) { $0 + Int($1) })",
      jobType: jobType, host: "h", processID: 1, concurrency: slots, state: state, succeeded: 0, failed: 0,
      plugin: "", pluginFile: "", inFlight: holds)
  }

  private func flight(
    _ number: UInt64, _ worker: String, phase: Int = 0, at: Instant, losses: Int = 0
  ) throws -> Flight {
    Flight(
      job: try #require(JobID("j\(number)")), token: LeaseToken(number), phase: phase, worker: try id(worker),
      attempt: 1, failures: 0, crashes: 0, losses: losses, since: at, sinceTime: Timestamp(milliseconds: 7))
  }

  /// Announces itself and is connected.
  @discardableResult
  private mutating func arrive(_ announcement: Announcement, now: Instant? = nil) -> [WorkerRoster.Action] {
    defer { roster.connected(announcement.worker) }
    return roster.observe(announcement, now: now ?? start)
  }

  private mutating func share(_ queued: [Int], allowance: Int? = nil) -> [String: Int] {
    var given: [String: Int] = [:]
    for share in roster.share(queued: queued, allowance: allowance, isPaused: { _ in false }) {
      given["\(share.worker)/\(share.phase)", default: 0] += share.limit
    }
    return given
  }

  @Test mutating func aNewWorkerIsConnectedAndAForeignOneNamedOnce() throws {
    let actions = roster.observe(try announcement("a"), now: start)
    #expect(actions == [.arrived(try id("a")), .connect(try id("a"), address: "tcp://h:1097")])
    #expect(roster.observe(try announcement("a"), now: start).isEmpty)
    let foreign = try announcement("x", "paint")
    #expect(roster.observe(foreign, now: start) == [.foreign(try id("x"), jobType: "paint")])
    #expect(roster.observe(foreign, now: start).isEmpty)
  }

  @Test mutating func theLeastLoadedGetsMore() throws {
    arrive(try announcement("a", slots: 4))
    arrive(try announcement("b", slots: 4))
    roster.add(try flight(1, "a", at: start))
    roster.add(try flight(2, "a", at: start))
    #expect(share([4, 0]) == ["a/0": 1, "b/0": 3])
    #expect(share([9, 0]) == ["a/0": 1, "b/0": 1])
    #expect(share([9, 0]).isEmpty)
  }

  @Test mutating func quickJobsWaitAtTheirWorkerAndSlowOnesNever() throws {
    arrive(try announcement("a", slots: 2))
    roster.noteDuration(microseconds: 100, phase: 0)
    #expect(share([999, 0]) == ["a/0": 128])
    roster = WorkerRoster(pipeline: roster.pipeline)
    arrive(try announcement("a", slots: 2))
    roster.noteDuration(microseconds: 10_000, phase: 0)
    #expect(share([9, 0]) == ["a/0": 6])
    arrive(try announcement("b", "glue", slots: 2))
    roster.noteDuration(microseconds: 1_000_000, phase: 1)
    #expect(share([0, 9]) == ["b/1": 2])
  }

  @Test mutating func jobsTooShortToBeSpreadGoTogether() throws {
    for name in ["a", "b", "c"] { arrive(try announcement(name, slots: 2)) }
    roster.noteDuration(microseconds: 50, phase: 0)
    #expect(share([10, 0]).values.sorted() == [10])
    #expect(share([25, 0]).values.sorted() == [5, 10, 10])
  }

  @Test mutating func aPhaseOfWhichSomeRunsAreSlowIsNotGivenAhead() throws {
    arrive(try announcement("a", slots: 2))
    for _ in 0..<50 {
      for duration in [10, 10, 10, 400_000] { roster.noteDuration(microseconds: Int64(duration), phase: 0) }
    }
    #expect(share([9, 0]) == ["a/0": 2])
  }

  @Test mutating func aPromiseToAWorkerThatWentAndCameBackIsForgotten() throws {
    arrive(try announcement("a", slots: 4))
    let shares = roster.share(queued: [3, 0], allowance: nil, isPaused: { _ in false })
    _ = roster.lose(try id("a"), reason: "test", isLoss: false)
    arrive(try announcement("a", slots: 4))
    #expect(share([9, 0]) == ["a/0": 4])
    for share in shares { roster.claimed(share) }
    #expect(share([9, 0]).isEmpty)
  }

  @Test mutating func aThousandWorkersShareEvenly() throws {
    for number in 0..<1_000 {
      let worker = try announcement("w\(number)", slots: 2, address: "tcp://h:\(number)")
      arrive(worker)
    }
    let given = share([1_500, 0]).values
    #expect(given.count { $0 == 1 } == 500 && given.count { $0 == 2 } == 500)
  }

  @Test mutating func limitsAndPausesHold() throws {
    arrive(try announcement("b", "glue", slots: 9))
    #expect(share([0, 9]) == ["b/1": 3])
    arrive(try announcement("a", slots: 9))
    #expect(share([9, 0], allowance: 2) == ["a/0": 2])
    #expect(roster.share(queued: [9, 0], allowance: nil, isPaused: { $0 == 0 }).isEmpty)
  }

  @Test mutating func drainingWorkersGetNothing() throws {
    arrive(try announcement("a", state: .draining))
    #expect(share([9, 0]).isEmpty)
  }

  @Test mutating func aSilentWorkerIsLostWithinFiveSecondsAndItsJobsGoBack() throws {
    arrive(try announcement("a"))
    roster.add(try flight(1, "a", at: start))
    #expect(roster.tick(now: start + 4_500).isEmpty)
    let lost = roster.tick(now: start + 4_501)
    #expect(lost.contains(.release([LeaseToken(1)], lost: true)))
    #expect(lost.contains(.disconnect(try id("a"))))
    #expect(roster.workers.isEmpty)
  }

  @Test mutating func aBrokenConnectionIsLostAtOnceUnlessItComesBack() throws {
    arrive(try announcement("a"))
    roster.disconnected(try id("a"), now: start)
    #expect(share([1, 0]).isEmpty)
    #expect(roster.tick(now: start + 400).isEmpty)
    roster.connected(try id("a"))
    #expect(roster.tick(now: start + 401).isEmpty)
    roster.disconnected(try id("a"), now: start + 500)
    #expect(roster.tick(now: start + 901).contains(.disconnect(try id("a"))))
  }

  @Test mutating func jobsThatNeverArrivedGoBackAndUnknownOnesAreStopped() throws {
    arrive(try announcement("a"))
    roster.add(try flight(1, "a", at: start))
    #expect(roster.observe(try announcement("a"), now: start + 3_000).isEmpty)
    #expect(roster.observe(try announcement("a"), now: start + 3_001) == [.release([LeaseToken(1)], lost: false)])
    let holds = try announcement("a", holds: [LeaseToken(1), LeaseToken(7)])
    #expect(roster.observe(holds, now: start + 3_001) == [.cancel(try id("a"), [LeaseToken(7)])])
  }

  @Test mutating func leasesOfAnEarlierRunWaitForTheirHolder() throws {
    roster.add(try flight(1, "a", at: start))
    roster.add(try flight(2, "gone", at: start))
    _ = roster.observe(try announcement("a", holds: [LeaseToken(1)]), now: start + 100)
    #expect(roster.tick(now: start + 2_500).isEmpty)
    #expect(roster.tick(now: start + 2_501) == [.release([LeaseToken(2)], lost: false)])
    #expect(roster.settle(LeaseToken(1))?.job.text == "j1")
    #expect(roster.settle(LeaseToken(1)) == nil)
    #expect(roster.running == [1, 0])
  }

  @Test mutating func anotherWorkerOnTheSameAddressReplacesTheFormer() throws {
    arrive(try announcement("a", address: "tcp://h:1"))
    roster.add(try flight(1, "a", at: start))
    let actions = roster.observe(try announcement("b", address: "tcp://h:1"), now: start)
    #expect(actions.contains(.release([LeaseToken(1)], lost: true)))
    #expect(actions.contains(.arrived(try id("b"))))
    #expect(roster.workers.keys.map(\.text) == ["b"])
  }

  @Test mutating func aWorkerGetsNothingBeforeItsConnectionIsUp() throws {
    _ = roster.observe(try announcement("far", slots: 4), now: start)
    #expect(share([1, 0]).isEmpty)
    #expect(roster.tick(now: start + 3_000).isEmpty)
    #expect(roster.tick(now: start + 3_001) == [.unreachable(try id("far"))])
    #expect(roster.tick(now: start + 3_200).isEmpty)
    let entry = try #require(roster.workers[try id("far")])
    #expect(entry.state == "unreachable" && entry.reason.contains("tcp://h:"))
    arrive(try announcement("near"), now: start + 3_200)
    #expect(share([9, 0]) == ["near/0": 1])
    roster.connected(try id("far"))
    #expect(share([9, 0]) == ["far/0": 4])
  }

  @Test mutating func goodOrderIsNoLoss() throws {
    arrive(try announcement("a"))
    roster.add(try flight(1, "a", at: start))
    #expect(roster.lose(try id("a"), reason: "bye", isLoss: false).contains(.release([LeaseToken(1)], lost: false)))
  }

  @Test mutating func anAddressThatLeadsNowhereIsToldOnceWithTheReason() throws {
    _ = roster.observe(try announcement("a"), now: start)
    let a = try id("a")
    roster.note("no such name", of: a)
    #expect(roster.cannotConnect(a) == [.unreachable(a)])
    #expect(roster.cannotConnect(a).isEmpty)
    #expect(roster.tick(now: start + 3_500).isEmpty)
    #expect(roster.workers[a]?.state == "unreachable")
    #expect(roster.workers[a]?.reason.contains("no such name") == true)
    roster.note(nil, of: a)
    roster.connected(a)
    #expect(roster.workers[a]?.state == "serving")
    #expect(roster.workers[a]?.reason.isEmpty == true)
  }

  // MARK: - Suspects

  private mutating func placed() -> [String] {
    roster.placeSuspects(now: start, isPaused: { _ in false }).map { "\($0.token)@\($0.worker)" }
  }

  @Test mutating func aSuspectRunsAlone() throws {
    arrive(try announcement("a", slots: 4))
    roster.park(try flight(1, "a", at: start, losses: 1))
    roster.park(try flight(2, "a", at: start, losses: 1))
    #expect(placed() == ["1@a"])
    #expect(share([9, 0]).isEmpty)
    #expect(placed().isEmpty)
    roster.settle(LeaseToken(1))
    #expect(placed() == ["2@a"])
    roster.settle(LeaseToken(2))
    #expect(share([9, 0]) == ["a/0": 4])
    #expect(roster.running[0] == 4)
  }

  @Test mutating func aBusyWorkerIsEmptiedForASuspectWhileTheOthersGoOn() throws {
    arrive(try announcement("a", slots: 2))
    arrive(try announcement("b", slots: 2))
    roster.add(try flight(1, "a", at: start))
    roster.add(try flight(2, "b", at: start))
    roster.add(try flight(3, "b", at: start))
    roster.park(try flight(9, "b", at: start, losses: 2))
    roster.park(try flight(10, "b", at: start, losses: 1))
    #expect(placed().isEmpty)
    // The one with less to finish takes no more; the other works on.
    roster.settle(LeaseToken(3))
    #expect(share([9, 0]) == ["b/0": 1])
    roster.settle(LeaseToken(1))
    #expect(placed() == ["9@a"])
    // Only half of the workers serve suspects at a time.
    roster.settle(LeaseToken(2))
    #expect(placed().isEmpty)
    roster.settle(LeaseToken(9))
    #expect(placed() == ["10@a"] || placed() == ["10@b"])
  }

  @Test mutating func aReservationEndsWithTheSuspectOrItsWorker() throws {
    arrive(try announcement("a"))
    roster.add(try flight(1, "a", at: start))
    roster.park(try flight(9, "a", at: start, losses: 1))
    #expect(placed().isEmpty)
    roster.settle(LeaseToken(9))
    #expect(placed().isEmpty)
    roster.settle(LeaseToken(1))
    #expect(share([1, 0]) == ["a/0": 1])
    #expect(roster.running[0] == 1)
  }

  @Test mutating func whatIsParkedUsesUpNothingOfWhatMayBeOut() throws {
    arrive(try announcement("a", slots: 2))
    arrive(try announcement("b", "glue", slots: 4))
    roster.park(try flight(8, "a", at: start, losses: 1))
    roster.park(try flight(9, "a", at: start, losses: 1))
    _ = roster.lose(try id("a"), reason: "gone", isLoss: true)
    #expect(roster.attemptsOut == 0)
    #expect(share([0, 5], allowance: 2 - roster.attemptsOut) == ["b/1": 2])
    #expect(roster.attemptsOut == 2)
    // Those that were let past count once a suspect's worker is there.
    arrive(try announcement("c"))
    #expect(roster.placeSuspects(now: start, allowance: 2 - roster.attemptsOut, isPaused: { _ in false }).isEmpty)
    #expect(roster.placeSuspects(now: start, allowance: 1, isPaused: { _ in false }).map(\.token) == [LeaseToken(8)])
    #expect(roster.attemptsOut == 3)
  }

  @Test mutating func aParkedSuspectIsNoOrphanOfTheWorkerItWasClaimedFor() throws {
    arrive(try announcement("a"))
    roster.park(try flight(9, "a", at: start, losses: 1))
    _ = roster.lose(try id("a"), reason: "gone", isLoss: true)
    #expect(roster.tick(now: start + 60_000).isEmpty)
    arrive(try announcement("b"))
    #expect(placed() == ["9@b"])
    #expect(roster.begin([LeaseToken(9), LeaseToken(8)], at: try id("a")).isEmpty)
    #expect(roster.begin([LeaseToken(9), LeaseToken(8)], at: try id("b")) == [LeaseToken(9)])
    #expect(roster.flights[LeaseToken(9)]?.hasBegun == true)
  }
}

@Suite struct JobIDSourceTests {
  @Test func idsAreUniqueAndSortByTime() {
    var source = JobIDSource()
    let moments = (0..<100).map { Timestamp(milliseconds: 1_800_000_000_000 + 10 * $0) }
    let ids = moments.flatMap { now in (0..<100).map { _ in source.next(now: now).text } }
    #expect(Set(ids).count == 10_000)
    #expect(ids.allSatisfy { $0.utf8.count == 15 })
    let firstOfEach = stride(from: 0, to: ids.count, by: 100).map { ids[$0].prefix(8) }
    #expect(firstOfEach == firstOfEach.sorted())
  }
}
