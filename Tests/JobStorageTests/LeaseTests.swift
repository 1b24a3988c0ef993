import JobStorage
import PipelineModel
import Testing

@Suite struct LeaseTests {
  @Test(arguments: StoreUnderTest.all)
  func releasedJobsGoToTheFrontInTheirOrder(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c", "d")
    let jobs = try scene.claim(limit: 3)
    let result = try scene.turn { $0.settlements = [jobs[2], jobs[0], jobs[1]].map { scene.release($0) } }
    #expect(result.settlements == [.recorded, .recorded, .recorded])
    #expect(try scene.claim().map(\.id.text) == ["c", "a", "b", "d"])
  }

  @Test(arguments: StoreUnderTest.all)
  func laterReleasesGoBeforeEarlierOnes(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c")
    let jobs = try scene.claim()
    for job in jobs { try scene.turn { $0.settlements = [scene.release(job)] } }
    try scene.enqueue("d")
    #expect(try scene.claim().map(\.id.text) == ["c", "b", "a", "d"])
  }

  @Test(arguments: StoreUnderTest.all)
  func aReleasedJobDoesNotPassAHigherPriority(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("low")
    let low = try scene.claimOne()
    try scene.enqueue("high", priority: 1)
    try scene.enqueue("other")
    try scene.turn { $0.settlements = [scene.release(low)] }
    #expect(try scene.claim().map(\.id.text) == ["high", "low", "other"])
  }

  @Test(arguments: StoreUnderTest.all)
  func aReleaseCountsWhereTheAttemptBegan(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("began", "never")
    let jobs = try scene.claim()
    scene.now = scene.now + 40
    try scene.turn { $0.settlements = [scene.release(jobs[0]), scene.release(jobs[1], counted: false)] }
    let (began, never) = (try scene.job("began"), try scene.job("never"))
    #expect(began.state == .waiting && began.attempt == 1 && began.attempts == [scene.attempt(jobs[0], 0, .lost)])
    #expect(never.state == .waiting && never.attempt == 0 && never.attempts.isEmpty)
    #expect(began.failures == 0 && began.crashes == 0 && began.worker == nil && began.error == nil)
    let again = try scene.claim()
    #expect(again.map(\.attempt) == [2, 1] && again.allSatisfy { $0.queuedAt == scene.now })
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func aTurnGivesOutWhatItReleases(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    let job = try scene.claimOne()
    let result = try scene.turn {
      $0.settlements = [scene.release(job, counted: false)]
      $0.claims = [scene.claimOf(0, worker: "w2")]
    }
    let next = try #require(result.claims[0].first)
    #expect(next.id == job.id && next.token > job.token && next.attempt == 1)
    #expect(try scene.job("a").worker == .named("w2"))
  }

  @Test(arguments: StoreUnderTest.all)
  func runningJobsTellEveryLease(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    #expect(try scene.store.runningJobs().isEmpty)
    try scene.enqueue("a", "b", "c")
    let jobs = try scene.claim(limit: 2, worker: "w9")
    try scene.fail(jobs[0], .retry(at: scene.now))
    try scene.complete(jobs[1], next: 1)
    scene.now = scene.now + 7
    let again = try scene.claim(limit: 2)
    let next = try scene.claimOne(1)
    let expected = [again[0], again[1], next].map { job in
      RunningJob(
        id: job.id, token: job.token, phase: job.id.text == "b" ? 1 : 0, worker: .named("worker-1"),
        attempt: job.attempt, failures: job.failures, crashes: 0, claimedAt: scene.now)
    }
    #expect(again.map(\.id.text) == ["c", "a"] && again.map(\.failures) == [0, 1])
    #expect(try leases(scene) == expected)
  }

  private func leases(_ scene: Scene) throws -> [RunningJob] {
    try scene.store.runningJobs().sorted { $0.token < $1.token }
  }
}
