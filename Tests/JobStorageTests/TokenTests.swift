import JobStorage
import PipelineModel
import Testing

@Suite struct TokenTests {
  @Test(arguments: StoreUnderTest.all)
  func tokensRiseWithEachClaim(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    var tokens: [LeaseToken] = []
    for round in 0..<3 {
      for number in 0..<10 { try scene.enqueue("j\(round)-\(number)") }
      tokens += try scene.claim(limit: 5).map(\.token) + scene.claim(worker: "w2").map(\.token)
    }
    #expect(tokens == tokens.sorted() && Set(tokens).count == 30)
  }

  @Test(arguments: StoreUnderTest.all)
  func tokensRiseOverAReopenEvenWhereTheClockWentBack(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c")
    let first = try scene.claim(limit: 1)[0].token
    try scene.reopen()
    let second = try scene.claim(limit: 1)[0].token
    scene.now = scene.now + -60_000
    try scene.reopen()
    let third = try scene.claim(limit: 1)[0].token
    #expect(first < second && second < third)
  }

  @Test(arguments: StoreUnderTest.all)
  func tokensFollowTheClockAtOpen(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b")
    let floor = { UInt64(scene.now.milliseconds) * 1_024 }
    #expect(try scene.claim(limit: 1)[0].token.number >= floor())
    scene.now = scene.now + 3_600_000
    try scene.reopen()
    #expect(try scene.claim(limit: 1)[0].token.number >= floor())
  }

  @Test(arguments: StoreUnderTest.all)
  func aStaleTokenChangesNothing(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    let old = try scene.claimOne()
    try scene.turn { $0.settlements = [scene.release(old)] }
    let held = try scene.claimOne()
    try expectAllStale(scene, old)
    #expect(try scene.complete(held, next: 1) == [.recorded])
    try expectAllStale(scene, held)
  }

  @Test(arguments: StoreUnderTest.all)
  func aTokenOfAnotherJobIsStale(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b")
    var (a, b) = (try scene.claim(limit: 1)[0], try scene.claim(limit: 1)[0])
    swap(&a.token, &b.token)
    try expectAllStale(scene, a)
    try expectAllStale(scene, b)
  }

  @Test(arguments: StoreUnderTest.all)
  func tokensAreStaleWhateverBecameOfTheJob(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("done", "dead", "delayed", "retried", "cancelled", "deleted")
    let jobs = try scene.claim()
    try scene.complete(jobs[0], next: nil)
    try scene.fail(jobs[1], .bury)
    try scene.fail(jobs[2], .retry(at: scene.now + 1_000))
    try scene.fail(jobs[3], .retry(at: scene.now))
    for job in jobs[4...] { _ = try scene.store.cancel(job.id, now: scene.now) }
    #expect(try scene.store.delete(matching: JobFilter(id: .named("deleted")), limit: 1, now: scene.now) == 1)
    for job in jobs { try expectAllStale(scene, job) }
    var unknown = jobs[0]
    unknown.id = .named("never-seen")
    try expectAllStale(scene, unknown)
  }

  @Test(arguments: StoreUnderTest.all)
  func theSameTokenTwiceInOneTurnCountsOnce(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b")
    let jobs = try scene.claim()
    let result = try scene.turn {
      $0.settlements = [
        scene.completion(jobs[0], next: 1), scene.completion(jobs[0], next: 2), scene.failure(jobs[0], .bury),
        scene.release(jobs[1]), scene.release(jobs[1]), scene.completion(jobs[1], next: 1),
      ]
    }
    #expect(result.settlements == [.recorded, .stale, .stale, .recorded, .stale, .stale])
    #expect(try scene.job("a").phase == 1 && scene.job("b").phase == 0)
    try scene.expectHonestCounts()
  }

  /// The phase of a settlement is looked at as well: what is told of another one is not about this lease.
  @Test(arguments: StoreUnderTest.all)
  func aSettlementFromAnotherPhaseIsStale(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b")
    try scene.turn { turn in turn.settlements = try scene.claim().map { scene.completion($0, next: 1) } }
    let jobs = try scene.claim(1)
    let before = try scene.all()
    let wrong = [0, 2, 7, -1].flatMap { phase in
      [
        scene.completion(jobs[0], phase, next: 2), scene.completion(jobs[0], phase, next: nil),
        scene.failure(jobs[0], .bury, phase: phase), scene.release(jobs[0], phase),
      ]
    }
    let result = try scene.turn { $0.settlements = wrong + [scene.release(jobs[1], 0), scene.release(jobs[1], 1)] }
    #expect(result.settlements == Array(repeating: .stale, count: wrong.count + 1) + [.recorded])
    #expect(try scene.all().last == before.last)
    #expect(try scene.complete(jobs[0], 1, next: 2) == [.recorded])
    try scene.expectHonestCounts()
  }

  private func expectAllStale(
    _ scene: Scene, _ job: ClaimedJob, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = (try scene.all(), try scene.store.runningJobs().sorted { $0.token < $1.token })
    let result = try scene.turn {
      $0.now = scene.now + 77
      $0.settlements = [
        scene.completion(job, next: 2, instructions: [1]), scene.failure(job, .bury),
        scene.failure(job, .retry(at: scene.now)), scene.release(job),
      ]
    }
    #expect(result.settlements == Array(repeating: .stale, count: 4), sourceLocation: sourceLocation)
    #expect(try scene.all() == before.0, sourceLocation: sourceLocation)
    #expect(
      try scene.store.runningJobs().sorted { $0.token < $1.token } == before.1, sourceLocation: sourceLocation)
    try scene.expectHonestCounts(sourceLocation: sourceLocation)
  }
}
