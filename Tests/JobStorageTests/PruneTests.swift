import JobStorage
import PipelineModel
import Testing

@Suite struct PruneTests {
  @Test(arguments: StoreUnderTest.all)
  func nothingGoesWithinThePolicy(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    let before = try scene.all()
    scene.now = scene.now + 86_400_000
    #expect(try prune(scene, RetentionPolicy()) == 0)
    #expect(try scene.all() == before)
  }

  @Test(arguments: StoreUnderTest.all)
  func unfinishedJobsNeverGo(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    scene.now = scene.now + 1
    let none = RetentionPolicy(maximumFinished: 0, maximumAgeMilliseconds: 0, maximumBytes: 0)
    #expect(try prune(scene, none) == 2)
    #expect(try scene.ids() == ["delayed", "waiting", "running", "dead"])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func thoseThatEndedFirstGoFirst(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c", "d", "e")
    let jobs = try scene.claim()
    for index in [3, 1, 4, 0, 2] { try scene.complete(jobs[index], next: nil) }
    #expect(try prune(scene, RetentionPolicy(maximumFinished: 3)) == 2)
    #expect(try scene.ids() == ["e", "c", "a"])
    #expect(try prune(scene, RetentionPolicy(maximumFinished: 0), limit: 2) == 2)
    #expect(try scene.ids() == ["c"])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func oldOnesGo(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for id in ["a", "b", "c"] {
      scene.now = scene.now + 1_000
      try scene.enqueue(id)
      try scene.complete(try scene.claimOne(), next: nil)
    }
    let policy = RetentionPolicy(maximumAgeMilliseconds: 1_000)
    #expect(try prune(scene, policy) == 1)
    scene.now = scene.now + 1
    #expect(try prune(scene, policy) == 1)
    #expect(try scene.ids() == ["c"])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func thoseBeyondTheBytesGo(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for id in ["a", "b", "c"] {
      try scene.turn { $0.enqueues = [NewJob(id: .named(id), instructions: Array(repeating: 0x20, count: 100))] }
      let job = try scene.claimOne()
      try scene.turn {
        $0.settlements = [scene.completion(job, next: nil, instructions: Array(repeating: 0x20, count: 1_000))]
      }
    }
    #expect(try prune(scene, RetentionPolicy(maximumBytes: 3_000)) == 0)
    #expect(try prune(scene, RetentionPolicy(maximumBytes: 2_999)) == 1)
    #expect(try scene.ids() == ["c", "b"])
    #expect(try scene.store.delete(matching: JobFilter(id: .named("c")), limit: 1, now: scene.now) == 1)
    try scene.reopen()
    #expect(try prune(scene, RetentionPolicy(maximumBytes: 1_000)) == 0)
    #expect(try prune(scene, RetentionPolicy(maximumBytes: 999)) == 1)
  }

  @Test(arguments: StoreUnderTest.all)
  func aJobThatCameBackIsNotPruned(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b")
    for job in try scene.claim() { try scene.fail(job, .bury) }
    _ = try scene.store.requeue(matching: JobFilter(id: .named("a")), limit: 1, now: scene.now)
    let none = RetentionPolicy(maximumDead: 0)
    #expect(try prune(scene, none) == 1)
    try scene.fail(try scene.claimOne(), .bury)
    #expect(try prune(scene, none) == 1)
    #expect(try scene.all().isEmpty)
  }

  @Test(arguments: StoreUnderTest.all)
  func deadJobsAreKeptByARuleOfTheirOwn(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for id in ["d1", "s1", "d2", "s2", "d3"] {
      try scene.enqueue(id)
      let job = try scene.claimOne()
      if id.hasPrefix("d") { try scene.fail(job, .bury) } else { try scene.complete(job, next: nil) }
    }
    scene.now = scene.now + 1_000
    let nothingFinished = RetentionPolicy(maximumFinished: 0, maximumAgeMilliseconds: 0, maximumBytes: 0)
    #expect(try prune(scene, nothingFinished, limit: 1) == 1)
    #expect(try scene.ids() == ["d3", "s2", "d2", "d1"])
    #expect(try prune(scene, RetentionPolicy(maximumDead: 3)) == 0)
    #expect(try prune(scene, RetentionPolicy(maximumDead: 1)) == 2)
    #expect(try scene.ids() == ["d3", "s2"])
    try scene.reopen()
    #expect(try prune(scene, nothingFinished) == 1)
    #expect(try prune(scene, RetentionPolicy(maximumDead: 0)) == 1)
    #expect(try scene.all().isEmpty)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func oneCallPrunesNoMoreThanItsLimit(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for id in ["d1", "d2", "s1", "s2", "s3"] {
      try scene.enqueue(id)
      let job = try scene.claimOne()
      if id.hasPrefix("d") { try scene.fail(job, .bury) } else { try scene.complete(job, next: nil) }
    }
    let none = RetentionPolicy(maximumFinished: 0, maximumDead: 0)
    #expect(try prune(scene, none, limit: 0) == 0)
    #expect(try (0..<3).map { _ in try prune(scene, none, limit: 2) } == [2, 2, 1])
  }

  private func prune(_ scene: Scene, _ policy: RetentionPolicy, limit: Int = 1_000) throws -> Int {
    try scene.store.prune(policy, metricsBefore: 0, limit: limit, now: scene.now)
  }
}
