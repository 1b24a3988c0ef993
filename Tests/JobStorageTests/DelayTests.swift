import JobStorage
import PipelineModel
import Testing

@Suite struct DelayTests {
  @Test(arguments: StoreUnderTest.all)
  func aJobWaitsForItsTime(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let due = scene.now + 500
    try scene.enqueue("a", notBefore: due)
    #expect(try scene.job("a").state == .delayed && scene.job("a").dueAt == due)
    #expect(try promote(scene) == [:])
    #expect(try scene.claim().isEmpty)
    scene.now = due
    #expect(try promote(scene) == [0: 1])
    let job = try scene.claimOne()
    #expect(job.queuedAt == due && job.attempt == 1)
    #expect(try scene.job("a").dueAt == nil)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func aTimeThatHasPassedIsNow(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("past", notBefore: scene.now + -1)
    try scene.enqueue("now", notBefore: scene.now)
    #expect(try scene.job("past").dueAt == nil)
    #expect(try scene.claim().map(\.id.text) == ["past", "now"])
  }

  @Test(arguments: StoreUnderTest.all)
  func dueJobsComeByTimeThenAsEnqueued(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("third", notBefore: scene.now + 20)
    for number in 0..<12 { try scene.enqueue("second-\(number)", notBefore: scene.now + 10) }
    try scene.enqueue("first", notBefore: scene.now + 5)
    scene.now = scene.now + 20
    #expect(try promote(scene) == [0: 14])
    let order = ["first"] + (0..<12).map { "second-\($0)" } + ["third"]
    #expect(try scene.claim().map(\.id.text) == order)
  }

  @Test(arguments: StoreUnderTest.all)
  func promotionKeepsPriorities(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("low", priority: -1, notBefore: scene.now + 1)
    try scene.enqueue("high", priority: 1, notBefore: scene.now + 2)
    try scene.enqueue("waiting")
    scene.now = scene.now + 2
    try promote(scene)
    #expect(try scene.claim().map(\.id.text) == ["high", "waiting", "low"])
  }

  @Test(arguments: StoreUnderTest.all)
  func promotionIsLimitedAndTellsWhatIsNext(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    #expect(try scene.turn { $0.promotionLimit = 10 }.nextDue == nil)
    for number in 1...5 { try scene.enqueue("j\(number)", notBefore: scene.now + Int64(number)) }
    let start = scene.now
    scene.now = start + 4
    let result = try scene.turn { $0.promotionLimit = 3 }
    #expect(result.promoted == [0: 3] && result.nextDue == start + 4)
    let rest = try scene.turn { $0.promotionLimit = 3 }
    #expect(rest.promoted == [0: 1] && rest.nextDue == start + 5)
    let silent = try scene.turn { $0.claims = [scene.claimOf(0)] }
    #expect(silent.nextDue == nil && silent.promoted.isEmpty && silent.claims[0].count == 4)
  }

  @Test(arguments: StoreUnderTest.all)
  func aTurnClaimsWhatItPromotes(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", notBefore: scene.now + 1)
    try scene.enqueue("b", notBefore: scene.now + 2)
    scene.now = scene.now + 1
    let result = try scene.turn {
      $0.promotionLimit = 10
      $0.claims = [scene.claimOf(0)]
    }
    #expect(result.promoted == [0: 1] && result.claims[0].map(\.id.text) == ["a"])
  }

  @Test(arguments: StoreUnderTest.all)
  func aRetryComesBackIntoItsPhaseWithItsCounters(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b")
    for job in try scene.claim() { try scene.complete(job, next: 1) }
    let jobs = try scene.claim(1)
    try scene.fail(jobs[0], .retry(at: scene.now + 100), phase: 1)
    try scene.fail(jobs[1], .retry(at: scene.now + 50), phase: 1, outcome: .crashed)
    scene.now = scene.now + 100
    #expect(try promote(scene) == [1: 2])
    let again = try scene.claim(1)
    #expect(again.map(\.id.text) == ["b", "a"] && again.map(\.attempt) == [2, 2])
    #expect(again.map(\.failures) == [0, 1] && again.map(\.crashes) == [1, 0])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func aWallClockThatWasSetNeitherHastensNorHoldsUp(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let steady = scene.now
    let hour: Int64 = 3_600_000
    try scene.enqueue("failing")
    let failing = try scene.claim()[0]
    for step in [hour, -hour] {
      scene.now = steady + step
      try scene.turn {
        $0.promotionTime = steady
        $0.enqueues = [
          NewJob(id: .named("later-\(step > 0)"), notBefore: steady + 50, instructions: Array("{}".utf8)),
          NewJob(id: .named("due-\(step > 0)"), notBefore: steady, instructions: Array("{}".utf8)),
        ]
        if step > 0 { $0.settlements = [scene.failure(failing, .retry(at: steady + 50))] }
      }
    }
    #expect(try scene.job("later-true").state == .delayed && scene.job("later-false").state == .delayed)
    #expect(try scene.job("due-true").state == .waiting && scene.job("due-false").state == .waiting)
    #expect(try scene.job("failing").state == .delayed)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func theTimelineOfDueTimesIsKept(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    #expect(try scene.store.timelineOffset() == 0)
    for offset: Int64 in [3_600_000, -longestDurationMilliseconds, 0, -1] {
      try scene.store.setTimelineOffset(offset)
      try scene.reopen()
      #expect(try scene.store.timelineOffset() == offset)
    }
  }

  @discardableResult
  private func promote(_ scene: Scene) throws -> [Int: Int] {
    try scene.turn { $0.promotionLimit = 1_000 }.promoted
  }
}
