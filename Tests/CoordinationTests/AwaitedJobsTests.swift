import PipelineModel
import Testing

@testable import Coordination

@Suite struct AwaitedJobsTests {
  private var awaited = AwaitedJobs()
  private let start = Instant(milliseconds: 1_000_000)
  private let first: JobID
  private let second: JobID

  init() throws {
    first = try #require(JobID("first"))
    second = try #require(JobID("second"))
  }

  private func waiter(_ route: UInt8, _ request: UInt64) -> Requester {
    Requester(route: [route], request: request)
  }

  @Test mutating func everyWaiterOfAJobIsAnsweredOnce() {
    #expect(awaited.add(waiter(1, 1), for: first, turn: 1, now: start) == true)
    #expect(awaited.add(waiter(2, 1), for: first, turn: 1, now: start) == true)
    #expect(awaited.add(waiter(2, 2), for: second, turn: 1, now: start) == true)
    #expect(awaited.take(first) == [waiter(1, 1), waiter(2, 1)])
    #expect(awaited.take(first) == [])
    #expect(!awaited.isEmpty)
    #expect(awaited.takeAll() == [waiter(2, 2)])
    #expect(awaited.isEmpty)
  }

  @Test mutating func twoWhoWaitOnOneRouteAreBothAnswered() {
    #expect(awaited.add(waiter(1, 1), for: first, turn: 1, now: start) == true)
    #expect(awaited.add(waiter(1, 2), for: first, turn: 1, now: start) == true)
    #expect(awaited.take(first) == [waiter(1, 1), waiter(1, 2)])
  }

  @Test mutating func whoeverAsksAgainAndAgainIsAnsweredOnTheLaterRequests() {
    for request in 1...50 { #expect(awaited.add(waiter(1, UInt64(request)), for: first, turn: 1, now: start) == true) }
    #expect(awaited.take(first) == (43...50).map { waiter(1, $0) })
    #expect(awaited.isEmpty)
  }

  @Test mutating func whoeverIsGoneOrHasGivenUpIsForgotten() {
    _ = awaited.add(waiter(1, 1), for: first, turn: 1, now: start)
    _ = awaited.add(waiter(2, 1), for: first, turn: 1, now: start + 30_000)
    _ = awaited.add(waiter(3, 1), for: second, turn: 1, now: start + 30_000)
    awaited.drop([3])
    awaited.dropExpired(now: start + 60_001)
    #expect(awaited.takeUnsure(before: 9, limit: 9) == [first])
    #expect(awaited.take(second) == [])
    #expect(awaited.take(first) == [waiter(2, 1)])
    #expect(awaited.isEmpty)
  }

  @Test mutating func onePeerCannotTakeAllPlaces() throws {
    for number in 0..<AwaitedJobs.maximumPerPeer {
      let job = try #require(JobID("job-\(number)"))
      #expect(awaited.add(waiter(1, 1), for: job, turn: 1, now: start) == true)
    }
    #expect(awaited.add(waiter(1, 1), for: first, turn: 1, now: start) == false)
    #expect(awaited.add(waiter(2, 1), for: first, turn: 1, now: start) == true)
    awaited.drop([1])
    #expect(awaited.add(waiter(1, 1), for: first, turn: 1, now: start) == true)
  }

  @Test mutating func theStoreIsAskedOnlyOnceItHasHadTheTurnThatMayBringTheJob() {
    #expect(awaited.add(waiter(1, 1), for: first, turn: 5, now: start) == true)
    #expect(awaited.takeUnsure(before: 5, limit: 9) == [])
    #expect(awaited.takeUnsure(before: 6, limit: 9) == [first])
    #expect(awaited.takeUnsure(before: 7, limit: 9) == [])
    awaited.markUnsure(first)
    awaited.markUnsure(second)
    #expect(awaited.takeUnsure(before: 1, limit: 9) == [first])
  }

  @Test mutating func whatTheStoreSaysOfAJobIsToldWhereItEndedOrIsNotThere() {
    #expect(awaited.beginReading(before: 9) == nil)
    #expect(awaited.add(waiter(1, 1), for: first, turn: 1, now: start) == true)
    #expect(awaited.beginReading(before: 9) == [first])
    #expect(awaited.add(waiter(1, 2), for: second, turn: 1, now: start) == true)
    #expect(awaited.beginReading(before: 9) == nil)
    let found = awaited.endReading([first, second], [nil, .running])
    #expect(found == [AwaitedJobs.Found(job: first, isThere: false)])
    #expect(awaited.beginReading(before: 9) == [second])
    #expect(awaited.endReading([second], [.dead]) == [AwaitedJobs.Found(job: second, isThere: true)])
    #expect(awaited.beginReading(before: 9) == nil)
  }

  @Test mutating func whatTheStoreDidNotTellIsAskedAgain() {
    #expect(awaited.add(waiter(1, 1), for: first, turn: 1, now: start) == true)
    #expect(awaited.beginReading(before: 9) == [first])
    #expect(awaited.endReading([first], nil).isEmpty)
    #expect(awaited.beginReading(before: 9) == [first])
  }

  @Test mutating func tooManyAreRefused() throws {
    for number in 0..<AwaitedJobs.maximumWaiters {
      let job = try #require(JobID("job-\(number)"))
      #expect(awaited.add(waiter(UInt8(number % 8), 1), for: job, turn: 1, now: start) == true)
    }
    #expect(awaited.add(waiter(9, 9), for: first, turn: 1, now: start) == false)
    let seventh = try #require(JobID("job-7"))
    #expect(awaited.take(seventh) == [waiter(7, 1)])
    #expect(awaited.add(waiter(9, 9), for: first, turn: 1, now: start) == true)
  }
}

@Suite struct AcknowledgementBatchTests {
  private let start = Instant(milliseconds: 1_000_000)

  @Test func acknowledgementsWaitForOthersALittle() {
    var acknowledgements = AcknowledgementBatch()
    #expect(acknowledgements.dueAt == nil)
    #expect(acknowledgements.take(now: start) == [:])
    acknowledgements.add(LeaseToken(1), to: [1], now: start)
    acknowledgements.add(LeaseToken(2), to: [1], now: start + 3)
    acknowledgements.add(LeaseToken(3), to: [2], now: start + 3)
    #expect(acknowledgements.take(now: start + 4) == [:])
    #expect(acknowledgements.take(now: start + 5) == [[1]: [LeaseToken(1), LeaseToken(2)], [2]: [LeaseToken(3)]])
    #expect(acknowledgements.dueAt == nil)
  }

  @Test func manyAndAllDoNotWait() {
    var acknowledgements = AcknowledgementBatch()
    for number in 1...127 { acknowledgements.add(LeaseToken(UInt64(number)), to: [1], now: start) }
    #expect(acknowledgements.take(now: start) == [:])
    acknowledgements.add(LeaseToken(128), to: [1], now: start)
    let many = acknowledgements.take(now: start)
    #expect(many[[1]]?.count == 128)
    acknowledgements.add(LeaseToken(1), to: [1], now: start)
    #expect(acknowledgements.take(now: start, all: true) == [[1]: [LeaseToken(1)]])
  }
}
