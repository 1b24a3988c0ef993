import JobStorage
import PipelineModel
import Testing

/// What is still there after the store was closed and opened again.
@Suite struct KeepingTests {
  @Test(arguments: StoreUnderTest.all)
  func jobsLeasesAndCountsAreKept(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    let before = (try scene.all(), try scene.store.counts(), try scene.store.runningJobs())
    try scene.reopen()
    #expect(try scene.all() == before.0)
    #expect(try scene.store.counts() == before.1)
    #expect(try scene.store.runningJobs() == before.2)
    let held = before.2[0]
    let answer = try scene.turn {
      $0.settlements = [held.givenBack]
    }
    #expect(answer.settlements == [.recorded])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func theOrderOfQueuesIsKept(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c")
    try scene.enqueue("first", priority: 1)
    try scene.enqueue("late", notBefore: scene.now + 10)
    try scene.enqueue("early", notBefore: scene.now + 5)
    let jobs = try scene.claim(limit: 3)
    try scene.turn { $0.settlements = [scene.release(jobs[2]), scene.release(jobs[1])] }
    try scene.reopen()
    scene.now = scene.now + 10
    try scene.turn { $0.settlements = [scene.release(jobs[0])] }
    try scene.enqueue("d")
    try scene.turn { $0.promotionLimit = 10 }
    #expect(try scene.claim().map(\.id.text) == ["first", "b", "a", "c", "d", "early", "late"])
  }

  @Test(arguments: StoreUnderTest.all)
  func newJobsAreNewerThanThoseBefore(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c")
    _ = try scene.store.delete(matching: JobFilter(id: .named("c")), limit: 1, now: scene.now)
    try scene.reopen()
    try scene.enqueue("d")
    #expect(try scene.ids() == ["d", "b", "a"])
  }

  @Test(arguments: StoreUnderTest.all)
  func pausesAreKeptUntilTheyAreLifted(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    #expect(try scene.store.paused() == (false, []))
    try scene.store.setPaused(true, phase: 2)
    try scene.store.setPaused(true, phase: 0)
    try scene.store.setPaused(true, phase: nil)
    try scene.store.setPaused(true, phase: 2)
    try scene.reopen()
    #expect(try scene.store.paused() == (true, [0, 2]))
    try scene.store.setPaused(false, phase: 2)
    try scene.store.setPaused(false, phase: nil)
    try scene.reopen()
    #expect(try scene.store.paused() == (false, [0]))
  }

  @Test(arguments: StoreUnderTest.all)
  func aPhaseThatIsNotThereCannotBePaused(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for phase in [3, -1] {
      let error = #expect(throws: StoreError.self) { try scene.store.setPaused(true, phase: phase) }
      #expect(error?.kind == .misconfigured)
      try scene.reopen()
    }
    #expect(try scene.store.paused() == (false, []))
  }

  @Test(arguments: StoreUnderTest.all)
  func aClosedStoreAnswersNothing(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    scene.store.close()
    scene.store.close()
    let error = #expect(throws: StoreError.self) { try scene.claim() }
    #expect(error?.kind == .unavailable && error?.isTransient == true)
    #expect(throws: StoreError.self) { try scene.store.counts() }
    #expect(throws: StoreError.self) { try scene.store.keepOwnership(now: scene.now) }
    try scene.open()
    #expect(try scene.claimOne().id.text == "a")
  }
}
