import JobStorage
import PipelineModel
import Testing

@Suite struct DeleteTests {
  @Test(arguments: StoreUnderTest.all)
  func everythingButRunningJobsIsDeleted(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    #expect(try delete(scene) == 5)
    #expect(try scene.ids() == ["running"])
    #expect(try scene.store.job(.named("dead")) == nil)
    scene.now = scene.now + 5_000
    let result = try scene.turn {
      $0.promotionLimit = 10
      $0.claims = [scene.claimOf(0)]
    }
    #expect(result.promoted.isEmpty && result.nextDue == nil && result.claims[0].isEmpty)
    #expect(try scene.store.requeue(matching: JobFilter(), limit: 10, now: scene.now) == [:])
    #expect(try scene.store.runningJobs().count == 1)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func onlyJobsThatMatchAreDeleted(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    #expect(try delete(scene, JobFilter(states: [.running])) == 0)
    #expect(try delete(scene, JobFilter(id: .named("waiting"), states: [.dead])) == 0)
    #expect(try delete(scene, JobFilter(phase: 1)) == 0)
    #expect(try delete(scene, JobFilter(idPrefix: "d")) == 2)
    #expect(try delete(scene, JobFilter(states: [.cancelled, .succeeded])) == 2)
    #expect(try scene.ids() == ["waiting", "running"])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func jobsAreDeletedByTheirError(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    #expect(try delete(scene, JobFilter(errorContains: "broke")) == 1)
    #expect(try scene.store.job(.named("dead")) == nil)
    // The same id again has nothing of the one before.
    try scene.enqueue("dead")
    let job = try scene.job("dead")
    #expect(job.error == nil && job.attempts.isEmpty && job.attempt == 0)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func oneCallDeletesNoMoreThanItsLimit(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for number in 0..<10 { try scene.enqueue("j\(number)") }
    #expect(try delete(scene, limit: 0) == 0)
    #expect(try delete(scene, JobFilter(id: .named("j3")), limit: 0) == 0)
    #expect(try delete(scene, limit: 4) == 4)
    #expect(try scene.all().count == 6)
    #expect(try delete(scene, limit: 100) == 6)
    #expect(try delete(scene, limit: 100) == 0)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func theQueueGoesOnAroundADeletedJob(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c")
    #expect(try delete(scene, JobFilter(id: .named("b"))) == 1)
    try scene.enqueue("b")
    #expect(try scene.ids() == ["b", "c", "a"])
    #expect(try scene.claim().map(\.id.text) == ["a", "c", "b"])
  }

  private func delete(_ scene: Scene, _ filter: JobFilter = JobFilter(), limit: Int = 1_000) throws -> Int {
    try scene.store.delete(matching: filter, limit: limit, now: scene.now)
  }
}
