import JobStorage
import PipelineModel
import Testing

@Suite struct CancelTests {
  @Test(arguments: StoreUnderTest.all)
  func cancellingTellsTheStateAndLeavesFinalOnesAlone(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    scene.now = scene.now + 10
    for state in JobState.allCases {
      let before = try scene.job(state.description)
      let answer = try #require(try scene.store.cancel(.named(state.description), now: scene.now))
      #expect(answer.was == state && (answer.lease != nil) == (state == .running))
      let after = try scene.job(state.description)
      if state.isFinal {
        #expect(after == before)
      } else {
        #expect(after.state == .cancelled && after.updatedAt == scene.now)
        #expect(after.dueAt == nil && after.worker == nil)
      }
    }
    #expect(try scene.store.counts().cancelled == 4)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func cancellingARunningJobBreaksItsLease(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    try scene.complete(try scene.claimOne(), next: 1)
    let job = try scene.claimOne(1)
    let lease = try scene.store.runningJobs()
    let answer = try #require(try scene.store.cancel(job.id, now: scene.now))
    #expect([answer.lease] == lease && answer.lease?.token == job.token)
    #expect(try scene.store.runningJobs().isEmpty)
    #expect(try scene.complete(job, 1, next: 2) == [.stale])
    let record = try scene.job("a")
    #expect(record.state == .cancelled && record.phase == 1)
    let attempt = try #require(record.attempts.last)
    #expect(record.attempts.count == 2 && attempt.outcome == .cancelled && attempt.phase == 1 && attempt.number == 1)
    #expect(attempt.worker == .named("worker-1") && attempt.endedAt == scene.now)
  }

  @Test(arguments: StoreUnderTest.all)
  func anUnknownJobCannotBeCancelled(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    #expect(try scene.store.cancel(.named("nobody"), now: scene.now) == nil)
  }

  @Test(arguments: StoreUnderTest.all)
  func aCancelledJobComesNoMore(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("w1", "w2", "w3")
    try scene.enqueue("d1", notBefore: scene.now + 5)
    try scene.enqueue("d2", notBefore: scene.now + 10)
    for id in ["w2", "d1"] { _ = try scene.store.cancel(.named(id), now: scene.now) }
    let result = try scene.turn {
      $0.promotionLimit = 10
      $0.claims = [scene.claimOf(0)]
    }
    #expect(result.nextDue == scene.now + 10 && result.claims[0].map(\.id.text) == ["w1", "w3"])
    scene.now = scene.now + 10
    let later = try scene.turn {
      $0.promotionLimit = 10
      $0.claims = [scene.claimOf(0)]
    }
    #expect(later.promoted == [0: 1] && later.nextDue == nil && later.claims[0].map(\.id.text) == ["d2"])
    try scene.expectHonestCounts()
  }
}
