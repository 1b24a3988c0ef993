import JobStorage
import PipelineModel
import Testing

@Suite struct CompletionTests {
  @Test(arguments: StoreUnderTest.all)
  func aCompletedJobIsClaimableInTheSameTurn(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    let job = try scene.claimOne()
    scene.now = scene.now + 10
    let result = try scene.turn {
      $0.settlements = [scene.completion(job, next: 1)]
      $0.claims = [scene.claimOf(1)]
    }
    #expect(result.settlements == [.recorded])
    let next = try #require(result.claims.first?.first)
    #expect(next.id == job.id && next.token > job.token && next.attempt == 1 && next.queuedAt == scene.now)
    #expect(next.instructions == job.instructions)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func aJobGoesThroughEveryPhaseAndSucceeds(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    for phase in 0..<3 {
      let job = try scene.claimOne(phase)
      #expect(try scene.complete(job, phase, next: phase < 2 ? phase + 1 : nil) == [.recorded])
    }
    let job = try scene.job("a")
    #expect(job.state == .succeeded && job.phase == 2 && job.worker == nil && job.error == nil)
    #expect(job.attempts.map(\.phase) == [0, 1, 2] && job.attempts.allSatisfy { $0.outcome == .succeeded })
    #expect(try scene.store.counts() == StoreCounts(phases: Array(repeating: PhaseCounts(), count: 3), succeeded: 1))
  }

  @Test(arguments: StoreUnderTest.all)
  func completionsQueueInTheirOrder(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c")
    let jobs = try scene.claim()
    try scene.turn { $0.settlements = jobs.reversed().map { scene.completion($0, next: 1) } }
    #expect(try scene.claim(1).map(\.id.text) == ["c", "b", "a"])
  }

  @Test(arguments: StoreUnderTest.all)
  func instructionsAreReplacedOrStay(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c")
    let jobs = try scene.claim()
    let new = Array(#"{"new":true}"#.utf8)
    try scene.turn {
      $0.settlements = [
        scene.completion(jobs[0], next: 1, instructions: new), scene.completion(jobs[1], next: 1),
        scene.completion(jobs[2], next: nil, instructions: new),
      ]
    }
    #expect(try scene.claim(1).map(\.instructions) == [new, jobs[1].instructions])
    #expect(try scene.job("c").instructions == new)
  }

  @Test(arguments: StoreUnderTest.all)
  func countersStartOverInTheNextPhase(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    try scene.fail(try scene.claimOne(), .retry(at: scene.now))
    try scene.fail(try scene.claimOne(), .retry(at: scene.now), outcome: .crashed)
    let third = try scene.claimOne()
    #expect(third.attempt == 3 && third.failures == 1 && third.crashes == 1)
    try scene.complete(third, next: 1)
    let record = try scene.job("a")
    #expect(record.attempt == 0 && record.failures == 0 && record.crashes == 0 && record.state == .waiting)
    let next = try scene.claimOne(1)
    #expect(next.attempt == 1 && next.failures == 0 && next.crashes == 0)
  }

  @Test(arguments: StoreUnderTest.all)
  func aPhaseMayBeSkippedOrRepeated(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b")
    let jobs = try scene.claim()
    try scene.complete(jobs[0], next: 2)
    try scene.complete(jobs[1], next: 0)
    #expect(try scene.claimOne(2).id.text == "a")
    #expect(try scene.claimOne(0).id.text == "b")
  }

  @Test(arguments: StoreUnderTest.all)
  func theTimelineKeepsTheLastHundredAttempts(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    for _ in 0..<105 { try scene.fail(try scene.claimOne(), .retry(at: scene.now)) }
    let job = try scene.job("a")
    #expect(job.attempts.map(\.number) == Array(6...105))
    #expect(job.attempt == 105 && job.failures == 105)
  }

  @Test(arguments: StoreUnderTest.all)
  func anAttemptIsKeptInFull(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    let job = try scene.claimOne()
    let attempt = AttemptRecord(
      phase: 0, number: 1, worker: .named("host.example:1234/7"), plugin: "fedcba987654",
      startedAt: scene.now + -1_234, endedAt: scene.now + 5_678, outcome: .succeeded)
    try scene.turn {
      $0.settlements = [
        Settlement(
          job: job.id, token: job.token, from: 0, counters: job.counters, attempt: attempt,
          effect: .advance(to: 1, instructions: nil))
      ]
    }
    #expect(try scene.job("a").attempts == [attempt])
  }
}
