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

  private func hello(
    _ name: String, _ jobType: String = "cut", slots: Int = 1, state: WorkerState = .serving, credit: JobCredit? = nil,
    instance: UInt64 = 1, isShared: Bool = false, holds: [LeaseToken] = []
  ) throws -> Hello {
    Hello(
      worker: try id(name), instance: instance, jobType: jobType, host: "h", processID: 1, concurrency: slots,
      state: state, succeeded: 0, failed: 0, plugin: "", pluginFile: "", inFlight: holds, isShared: isShared,
      credit: credit ?? JobCredit(number: 1, jobs: slots))
  }

  private func route(_ name: String) -> [UInt8] { Array(name.utf8) }

  private func lease(
    _ number: UInt64, _ worker: String, phase: Int = 0, at: Instant, losses: Int = 0
  ) throws -> Lease {
    Lease(
      job: try #require(JobID("j\(number)")), token: LeaseToken(number), phase: phase, worker: try id(worker),
      attempt: 1, failures: 0, crashes: 0, losses: losses, since: at, sinceTime: Timestamp(milliseconds: 7))
  }

  /// - Parameter route: nil: one of its own.
  @discardableResult
  private mutating func arrive(
    _ hello: Hello, by route: String? = nil, now: Instant? = nil
  ) -> [WorkerRoster.Action] {
    roster.observe(hello, from: self.route(route ?? hello.worker.text), now: now ?? start)
  }

  private mutating func share(_ queued: [Int], allowance: Int? = nil) -> [String: Int] {
    var given: [String: Int] = [:]
    for share in roster.share(queued: queued, allowance: allowance, isPaused: { _ in false }) {
      given["\(share.worker)/\(share.phase)", default: 0] += share.limit
    }
    return given
  }

  @Test mutating func aNewWorkerIsWelcomedOnceAndAForeignOneRefused() throws {
    let a = try id("a")
    #expect(arrive(try hello("a")) == [.arrived(a), .welcome(a)])
    #expect(arrive(try hello("a")).isEmpty)
    let refused = arrive(try hello("x", "paint"))
    #expect(refused == [.refuse(try id("x"), route: route("x"), .noSuchPhase, "pipeline p has no phase 'paint'")])
    #expect(roster.workers.count == 1)
  }

  @Test mutating func theLeastLoadedGetsMore() throws {
    arrive(try hello("a", slots: 4))
    arrive(try hello("b", slots: 4))
    roster.add(try lease(1, "a", at: start))
    roster.add(try lease(2, "a", at: start))
    #expect(share([4, 0]) == ["a/0": 1, "b/0": 3])
    #expect(share([9, 0]) == ["a/0": 1, "b/0": 1])
    #expect(share([9, 0]).isEmpty)
  }

  @Test mutating func aWorkerGetsAsManyAsItsCreditSays() throws {
    arrive(try hello("a", slots: 2, credit: JobCredit(number: 1, jobs: 128)))
    #expect(share([999, 0]) == ["a/0": 128])
    arrive(try hello("b", "glue", slots: 2, credit: JobCredit(number: 1, jobs: 0)))
    #expect(share([0, 9]).isEmpty)
    #expect(roster.observe(CreditMessage(worker: try id("b"), credit: JobCredit(number: 3, jobs: 2)), from: route("b")))
    // Comes late; and one by a connection that is not the worker's.
    _ = roster.observe(CreditMessage(worker: try id("b"), credit: JobCredit(number: 2, jobs: 0)), from: route("b"))
    #expect(
      !roster.observe(CreditMessage(worker: try id("b"), credit: JobCredit(number: 4, jobs: 0)), from: route("a")))
    arrive(try hello("b", "glue", slots: 2, credit: JobCredit(number: 2, jobs: 0)))
    #expect(share([0, 9]) == ["b/1": 2])
  }

  @Test mutating func loadIsMeasuredByTheSlotsThatAreLent() throws {
    // Both have four; of one of them another coordinator has three.
    arrive(try hello("a", slots: 4, credit: JobCredit(number: 1, jobs: 64, slots: 1)))
    arrive(try hello("b", slots: 4, credit: JobCredit(number: 1, jobs: 64, slots: 4)))
    let shares = roster.share(queued: [10, 0], allowance: nil, isPaused: { _ in false })
    #expect(shares.map { "\($0.worker): \($0.limit)" }.sorted() == ["a: 2", "b: 8"])
    for share in shares { roster.claimed(share) }
    // What is beyond the slots waits, and goes to whoever has one free.
    for number in 1...2 { roster.add(try lease(UInt64(number), "a", at: start)) }
    #expect(roster.tick(now: start + 300) == [.recall(try id("a"), [LeaseToken(2)])])
  }

  private mutating func demands(_ waiting: [Int], at time: Int64) -> [String] {
    roster.demands(waiting: waiting, now: start + time).map { "\($0.worker):\($0.waiting):\($0.credit)" }.sorted()
  }

  @Test mutating func workersHearWhatWaitsForThem() throws {
    arrive(try hello("alone", slots: 1))
    arrive(try hello("shared", slots: 1, isShared: true))
    #expect(demands([0, 0], at: 0) == ["alone:0:1", "shared:0:1"])
    #expect(demands([0, 0], at: 300).isEmpty)
    // Work that comes and goes is told at once to those who can choose, but not in every step.
    #expect(demands([5, 9], at: 310) == ["shared:5:1"])
    #expect(demands([0, 9], at: 320).isEmpty)
    #expect(demands([0, 9], at: 331) == ["shared:0:1"])
    #expect(demands([0, 9], at: 1_000) == ["alone:0:1", "shared:0:1"])
  }

  @Test mutating func aSmallerCreditCountsOnceWhatWasPromisedUnderTheLargerOneIsOut() throws {
    arrive(try hello("a", slots: 4, isShared: true))
    _ = demands([0, 0], at: 0)
    let shares = roster.share(queued: [3, 0], allowance: nil, isPaused: { _ in false })
    _ = roster.observe(CreditMessage(worker: try id("a"), credit: JobCredit(number: 2, jobs: 1)), from: route("a"))
    #expect(demands([0, 0], at: 100).isEmpty)
    for share in shares { roster.claimed(share) }
    #expect(demands([0, 0], at: 101) == ["a:0:2"])
  }

  @Test mutating func jobsTooShortToBeSpreadGoTogether() throws {
    for name in ["a", "b", "c"] { arrive(try hello(name, slots: 2, credit: JobCredit(number: 1, jobs: 128))) }
    roster.noteDuration(microseconds: 50, phase: 0)
    #expect(share([10, 0]).values.sorted() == [10])
    #expect(share([25, 0]).values.sorted() == [5, 10, 10])
  }

  @Test mutating func aPromiseToAWorkerThatWentAndCameBackIsForgotten() throws {
    arrive(try hello("a", slots: 4))
    let shares = roster.share(queued: [3, 0], allowance: nil, isPaused: { _ in false })
    _ = roster.lose(try id("a"), reason: "test", isLoss: false)
    arrive(try hello("a", slots: 4))
    #expect(share([9, 0]) == ["a/0": 4])
    for share in shares { roster.claimed(share) }
    #expect(share([9, 0]).isEmpty)
  }

  @Test mutating func aThousandWorkersShareEvenly() throws {
    for number in 0..<1_000 {
      arrive(try hello("w\(number)", slots: 2))
    }
    let given = share([1_500, 0]).values
    #expect(given.count { $0 == 1 } == 500 && given.count { $0 == 2 } == 500)
  }

  @Test mutating func limitsAndPausesHold() throws {
    arrive(try hello("b", "glue", slots: 9))
    #expect(share([0, 9]) == ["b/1": 3])
    arrive(try hello("a", slots: 9))
    #expect(share([9, 0], allowance: 2) == ["a/0": 2])
    #expect(roster.share(queued: [9, 0], allowance: nil, isPaused: { $0 == 0 }).isEmpty)
  }

  @Test mutating func drainingWorkersGetNothing() throws {
    arrive(try hello("a", state: .draining))
    #expect(share([9, 0]).isEmpty)
  }

  @Test mutating func aSilentWorkerIsLostWithinFiveSecondsAndItsJobsGoBack() throws {
    arrive(try hello("a"))
    roster.add(try lease(1, "a", at: start))
    #expect(roster.tick(now: start + 4_500).isEmpty)
    let lost = roster.tick(now: start + 4_501)
    #expect(lost.contains(.release([LeaseToken(1)], lost: true)))
    #expect(roster.workers.isEmpty)
  }

  @Test mutating func aBrokenConnectionIsLostAtOnceUnlessItComesBack() throws {
    arrive(try hello("a"))
    roster.ended(route("a"), now: start)
    #expect(share([1, 0]).isEmpty)
    #expect(roster.tick(now: start + 300).isEmpty)
    #expect(arrive(try hello("a"), by: "anew") == [.welcome(try id("a"))])
    // The end of the former connection, heard late.
    roster.ended(route("a"), now: start + 301)
    #expect(roster.tick(now: start + 700).isEmpty)
    #expect(share([1, 0]) == ["a/0": 1])
    roster.ended(route("anew"), now: start + 700)
    #expect(roster.tick(now: start + 1_001).contains(.lost(try id("a"), reason: "its connection closed")))
  }

  @Test mutating func whoeverCannotBeSentToGetsNothingUntilItsNextHello() throws {
    arrive(try hello("a", slots: 2))
    arrive(try hello("b", slots: 2))
    roster.couldNotSend(to: try id("a"))
    #expect(share([9, 0]) == ["b/0": 2])
    let welcomed = arrive(try hello("a", slots: 2), now: start + 1_000)
    #expect(welcomed.isEmpty && share([9, 0]) == ["a/0": 2])
  }

  @Test mutating func aMachineThatIsCutOffIsNotWaitedForOnceItsConnectionHasEnded() throws {
    let lost = WorkerRoster.Action.lost(try id("a"), reason: "its connection closed")
    arrive(try hello("a"))
    var prompt = roster
    // The last hello was due when the connection ended, no more.
    prompt.ended(route("a"), now: start + 1_099)
    #expect(prompt.tick(now: start + 1_399).isEmpty)
    #expect(prompt.tick(now: start + 1_400).contains(lost))
    roster.ended(route("a"), now: start + 1_100)
    #expect(roster.tick(now: start + 1_101).contains(lost))
  }

  @Test mutating func anIdBelongsToWhoeverIsThere() throws {
    let a = try id("a")
    arrive(try hello("a", instance: 1))
    roster.add(try lease(1, "a", at: start))
    guard
      case .refuse(a, route("b"), .idTaken, _)? = arrive(
        try hello("a", instance: 2), by: "b", now: start + 4_999
      ).first
    else { return #expect(Bool(false), "taken from a worker that is there") }
    // Not heard for long enough, or not connected any more: another one has it.
    var silent = roster
    let taken = silent.observe(try hello("a", instance: 2), from: route("b"), now: start + 5_000)
    #expect(taken.contains(.release([LeaseToken(1)], lost: true)) && taken.contains(.welcome(a)))
    roster.ended(route("a"), now: start + 10)
    #expect(arrive(try hello("a", instance: 2), by: "b", now: start + 20).contains(.welcome(a)))
  }

  @Test mutating func jobsThatNeverArrivedGoBackAndUnknownOnesAreStopped() throws {
    arrive(try hello("a"))
    roster.add(try lease(1, "a", at: start))
    #expect(arrive(try hello("a"), now: start + 3_000).isEmpty)
    #expect(arrive(try hello("a"), now: start + 3_001) == [.release([LeaseToken(1)], lost: false)])
    let holds = try hello("a", holds: [LeaseToken(1), LeaseToken(7)])
    #expect(arrive(holds, now: start + 3_001) == [.cancel(try id("a"), [LeaseToken(7)])])
  }

  @Test mutating func leasesOfAnEarlierRunWaitForTheirHolder() throws {
    roster.add(try lease(1, "a", at: start))
    roster.add(try lease(2, "gone", at: start))
    _ = arrive(try hello("a", holds: [LeaseToken(1)]), now: start + 100)
    #expect(roster.tick(now: start + 2_500).isEmpty)
    #expect(roster.tick(now: start + 2_501) == [.release([LeaseToken(2)], lost: false)])
    #expect(roster.forgetLease(LeaseToken(1))?.job.text == "j1")
    #expect(roster.forgetLease(LeaseToken(1)) == nil)
    #expect(roster.running == [1, 0])
  }

  @Test mutating func goodOrderIsNoLoss() throws {
    arrive(try hello("a"))
    roster.add(try lease(1, "a", at: start))
    #expect(roster.lose(try id("a"), reason: "bye", isLoss: false).contains(.release([LeaseToken(1)], lost: false)))
  }

  // MARK: - Suspects

  private mutating func placed() -> [String] {
    roster.placeSuspects(now: start, isPaused: { _ in false }).map { "\($0.token)@\($0.worker)" }
  }

  @Test mutating func aSuspectRunsAlone() throws {
    arrive(try hello("a", slots: 4))
    roster.park(try lease(1, "a", at: start, losses: 1))
    roster.park(try lease(2, "a", at: start, losses: 1))
    #expect(placed() == ["1@a"])
    #expect(share([9, 0]).isEmpty)
    #expect(placed().isEmpty)
    roster.forgetLease(LeaseToken(1))
    #expect(placed() == ["2@a"])
    roster.forgetLease(LeaseToken(2))
    #expect(share([9, 0]) == ["a/0": 4])
    #expect(roster.running[0] == 4)
  }

  @Test mutating func aBusyWorkerIsEmptiedForASuspectWhileTheOthersGoOn() throws {
    arrive(try hello("a", slots: 2))
    arrive(try hello("b", slots: 2))
    roster.add(try lease(1, "a", at: start))
    roster.add(try lease(2, "b", at: start))
    roster.add(try lease(3, "b", at: start))
    roster.park(try lease(9, "b", at: start, losses: 2))
    roster.park(try lease(10, "b", at: start, losses: 1))
    #expect(placed().isEmpty)
    // The one with less to finish takes no more; the other works on.
    roster.forgetLease(LeaseToken(3))
    #expect(share([9, 0]) == ["b/0": 1])
    roster.forgetLease(LeaseToken(1))
    #expect(placed() == ["9@a"])
    // Only half of the workers serve suspects at a time.
    roster.forgetLease(LeaseToken(2))
    #expect(placed().isEmpty)
    roster.forgetLease(LeaseToken(9))
    #expect(placed() == ["10@a"] || placed() == ["10@b"])
  }

  @Test mutating func aReservationEndsWithTheSuspectOrItsWorker() throws {
    arrive(try hello("a"))
    roster.add(try lease(1, "a", at: start))
    roster.park(try lease(9, "a", at: start, losses: 1))
    #expect(placed().isEmpty)
    roster.forgetLease(LeaseToken(9))
    #expect(placed().isEmpty)
    roster.forgetLease(LeaseToken(1))
    #expect(share([1, 0]) == ["a/0": 1])
    #expect(roster.running[0] == 1)
  }

  @Test mutating func whatIsParkedUsesUpNothingOfWhatMayBeOut() throws {
    arrive(try hello("a", slots: 2))
    arrive(try hello("b", "glue", slots: 4))
    roster.park(try lease(8, "a", at: start, losses: 1))
    roster.park(try lease(9, "a", at: start, losses: 1))
    _ = roster.lose(try id("a"), reason: "gone", isLoss: true)
    #expect(roster.attemptsOut == 0)
    #expect(share([0, 5], allowance: 2 - roster.attemptsOut) == ["b/1": 2])
    #expect(roster.attemptsOut == 2)
    // Those that were let past count once a suspect's worker is there.
    arrive(try hello("c"))
    #expect(roster.placeSuspects(now: start, allowance: 2 - roster.attemptsOut, isPaused: { _ in false }).isEmpty)
    #expect(roster.placeSuspects(now: start, allowance: 1, isPaused: { _ in false }).map(\.token) == [LeaseToken(8)])
    #expect(roster.attemptsOut == 3)
  }

  @Test mutating func aParkedSuspectIsNoOrphanOfTheWorkerItWasClaimedFor() throws {
    arrive(try hello("a"))
    roster.park(try lease(9, "a", at: start, losses: 1))
    _ = roster.lose(try id("a"), reason: "gone", isLoss: true)
    #expect(roster.tick(now: start + 60_000).isEmpty)
    arrive(try hello("b"))
    #expect(placed() == ["9@b"])
    #expect(roster.begin([LeaseToken(9), LeaseToken(8)], at: try id("a")).isEmpty)
    #expect(roster.begin([LeaseToken(9), LeaseToken(8)], at: try id("b")) == [LeaseToken(9)])
    #expect(roster.leases[LeaseToken(9)]?.hasBegun == true)
  }

  @Test mutating func `A name stands for a worker, or for all of its process`() throws {
    for name in ["n", "n/cut", "n/cut/2", "n/cut-fine", "n2/cut"] { arrive(try hello(name), by: "r") }
    #expect(roster.workers(named: "n").map(\.text) == ["n", "n/cut", "n/cut-fine", "n/cut/2"])
    #expect(roster.workers(named: "n/cut").map(\.text) == ["n/cut", "n/cut/2"])
    #expect(roster.workers(named: "n/cut/2").map(\.text) == ["n/cut/2"])
    for nobody in ["", "/", "n/", "n/c"] { #expect(roster.workers(named: nobody).isEmpty) }
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
