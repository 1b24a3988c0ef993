import PipelineModel
import Testing
import WireProtocol

@testable import Coordination

@Suite struct WorkerRosterTests {
  private var roster: WorkerRoster
  private let start = Timestamp(milliseconds: 1_000_000)

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

  private func flight(_ number: UInt64, _ worker: String, phase: Int = 0, at: Timestamp) throws -> Flight {
    Flight(
      job: try #require(JobID("j\(number)")), token: LeaseToken(number), phase: phase, worker: try id(worker),
      attempt: 1, failures: 0, crashes: 0, since: at, renewedAt: at)
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
    _ = roster.observe(try announcement("a", slots: 4), now: start)
    _ = roster.observe(try announcement("b", slots: 4), now: start)
    roster.add(try flight(1, "a", at: start))
    roster.add(try flight(2, "a", at: start))
    #expect(share([4, 0]) == ["a/0": 1, "b/0": 3])
    #expect(share([9, 0]) == ["a/0": 1, "b/0": 1])
    #expect(share([9, 0]).isEmpty)
  }

  @Test mutating func quickJobsWaitAtTheirWorkerAndSlowOnesNever() throws {
    _ = roster.observe(try announcement("a", slots: 2), now: start)
    roster.noteDuration(microseconds: 100, phase: 0)
    #expect(share([999, 0]) == ["a/0": 128])
    roster = WorkerRoster(pipeline: roster.pipeline)
    _ = roster.observe(try announcement("a", slots: 2), now: start)
    roster.noteDuration(microseconds: 10_000, phase: 0)
    #expect(share([9, 0]) == ["a/0": 6])
    _ = roster.observe(try announcement("b", "glue", slots: 2), now: start)
    roster.noteDuration(microseconds: 1_000_000, phase: 1)
    #expect(share([0, 9]) == ["b/1": 2])
  }

  @Test mutating func jobsTooShortToBeSpreadGoTogether() throws {
    for name in ["a", "b", "c"] { _ = roster.observe(try announcement(name, slots: 2), now: start) }
    roster.noteDuration(microseconds: 50, phase: 0)
    #expect(share([10, 0]).values.sorted() == [10])
    #expect(share([25, 0]).values.sorted() == [5, 10, 10])
  }

  @Test mutating func aPhaseOfWhichSomeRunsAreSlowIsNotGivenAhead() throws {
    _ = roster.observe(try announcement("a", slots: 2), now: start)
    for _ in 0..<50 {
      for duration in [10, 10, 10, 400_000] { roster.noteDuration(microseconds: Int64(duration), phase: 0) }
    }
    #expect(share([9, 0]) == ["a/0": 2])
  }

  @Test mutating func aPromiseToAWorkerThatWentAndCameBackIsForgotten() throws {
    _ = roster.observe(try announcement("a", slots: 4), now: start)
    let shares = roster.share(queued: [3, 0], allowance: nil, isPaused: { _ in false })
    _ = roster.lose(try id("a"), reason: "test")
    _ = roster.observe(try announcement("a", slots: 4), now: start)
    #expect(share([9, 0]) == ["a/0": 4])
    for share in shares { roster.claimed(share) }
    #expect(share([9, 0]).isEmpty)
  }

  @Test mutating func aThousandWorkersShareEvenly() throws {
    for number in 0..<1_000 {
      let worker = try announcement("w\(number)", slots: 2, address: "tcp://h:\(number)")
      _ = roster.observe(worker, now: start)
    }
    let given = share([1_500, 0]).values
    #expect(given.count { $0 == 1 } == 500 && given.count { $0 == 2 } == 500)
  }

  @Test mutating func limitsAndPausesHold() throws {
    _ = roster.observe(try announcement("b", "glue", slots: 9), now: start)
    #expect(share([0, 9]) == ["b/1": 3])
    _ = roster.observe(try announcement("a", slots: 9), now: start)
    #expect(share([9, 0], allowance: 2) == ["a/0": 2])
    #expect(roster.share(queued: [9, 0], allowance: nil, isPaused: { $0 == 0 }).isEmpty)
  }

  @Test mutating func drainingWorkersGetNothing() throws {
    _ = roster.observe(try announcement("a", state: .draining), now: start)
    #expect(share([9, 0]).isEmpty)
  }

  @Test mutating func aSilentWorkerIsLostWithinFiveSecondsAndItsJobsGoBack() throws {
    _ = roster.observe(try announcement("a"), now: start)
    roster.add(try flight(1, "a", at: start))
    #expect(roster.tick(now: start + 4_500).isEmpty)
    let lost = roster.tick(now: start + 4_501)
    #expect(lost.contains(.release([LeaseToken(1)])))
    #expect(lost.contains(.disconnect(try id("a"))))
    #expect(roster.workers.isEmpty)
  }

  @Test mutating func aBrokenConnectionIsLostAtOnceUnlessItComesBack() throws {
    _ = roster.observe(try announcement("a"), now: start)
    roster.disconnected(try id("a"), now: start)
    #expect(share([1, 0]).isEmpty)
    #expect(roster.tick(now: start + 400).isEmpty)
    roster.connected(try id("a"))
    #expect(roster.tick(now: start + 401).isEmpty)
    roster.disconnected(try id("a"), now: start + 500)
    #expect(roster.tick(now: start + 901).contains(.disconnect(try id("a"))))
  }

  @Test mutating func jobsThatNeverArrivedGoBackAndUnknownOnesAreStopped() throws {
    _ = roster.observe(try announcement("a"), now: start)
    roster.add(try flight(1, "a", at: start))
    #expect(roster.observe(try announcement("a"), now: start + 3_000).isEmpty)
    #expect(roster.observe(try announcement("a"), now: start + 3_001) == [.release([LeaseToken(1)])])
    let holds = try announcement("a", holds: [LeaseToken(1), LeaseToken(7)])
    #expect(roster.observe(holds, now: start + 3_001) == [.cancel(try id("a"), [LeaseToken(7)])])
  }

  @Test mutating func leasesOfAnEarlierRunWaitForTheirHolder() throws {
    roster.add(try flight(1, "a", at: start))
    roster.add(try flight(2, "gone", at: start))
    _ = roster.observe(try announcement("a", holds: [LeaseToken(1)]), now: start + 100)
    #expect(roster.tick(now: start + 2_500).isEmpty)
    #expect(roster.tick(now: start + 2_501) == [.release([LeaseToken(2)])])
    #expect(roster.settle(LeaseToken(1))?.job.text == "j1")
    #expect(roster.settle(LeaseToken(1)) == nil)
    #expect(roster.running == [1, 0])
  }

  @Test mutating func anotherWorkerOnTheSameAddressReplacesTheFormer() throws {
    _ = roster.observe(try announcement("a", address: "tcp://h:1"), now: start)
    roster.add(try flight(1, "a", at: start))
    let actions = roster.observe(try announcement("b", address: "tcp://h:1"), now: start)
    #expect(actions.contains(.release([LeaseToken(1)])))
    #expect(actions.contains(.arrived(try id("b"))))
    #expect(roster.workers.keys.map(\.text) == ["b"])
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
