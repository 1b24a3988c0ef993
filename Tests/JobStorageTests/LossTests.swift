import JobStorage
import PipelineModel
import Testing

/// Workers that went away under a job.
@Suite struct LossTests {
  @Test(arguments: StoreUnderTest.all)
  func aReleaseMaySetTheLosses(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    #expect(try scene.claimOne().losses == 0)
    let held = try #require(try scene.store.runningJobs().first)
    for losses in [1, 2, nil] as [Int?] {
      let job = held.token == (try scene.store.runningJobs().first?.token) ? claimed(held) : try scene.claimOne()
      try scene.turn { $0.settlements = [scene.release(job, losses: losses)] }
      #expect(try scene.job("a").losses == losses ?? 2)
    }
    try scene.reopen()
    let job = try scene.claimOne()
    #expect(job.losses == 2)
    #expect(try scene.store.runningJobs().map(\.losses) == [2])
    try scene.reopen()
    #expect(try scene.store.runningJobs().map(\.losses) == [2])
    #expect(try scene.job("a").losses == 2)
    try scene.complete(job, next: 1)
    #expect(try scene.job("a").losses == 0)
  }

  @Test(arguments: StoreUnderTest.all)
  func aRequeueForgetsTheLosses(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    try scene.turn { $0.settlements = [scene.release(try scene.claimOne(), losses: 9)] }
    try scene.fail(try scene.claimOne(), .bury, outcome: .lost)
    #expect(try scene.job("a").losses == 10)
    _ = try scene.perform(.requeue)
    #expect(try scene.job("a").losses == 0)
    #expect(try scene.claimOne().losses == 0)
  }

  /// What a wall clock that was set says must not bring a delayed job forward, nor keep it back.
  @Test(arguments: StoreUnderTest.all)
  func jobsBecomeDueByTheTimeThatIsGivenForIt(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", notBefore: scene.now + 1_000)
    let start = scene.now
    scene.now = start + 3_600_000
    let early = try scene.turn {
      $0.promotionLimit = 9
      $0.promotionTime = start + 999
    }
    #expect(early.promoted.isEmpty && early.nextDue == start + 1_000)
    scene.now = start + -3_600_000
    let due = try scene.turn {
      $0.promotionLimit = 9
      $0.promotionTime = start + 1_000
    }
    #expect(due.promoted == [0: 1])
    #expect(try scene.claimOne().queuedAt == scene.now)
  }

  private func claimed(_ job: RunningJob) -> ClaimedJob {
    ClaimedJob(
      id: job.id, token: job.token, attempt: job.attempt, failures: job.failures, crashes: job.crashes,
      instructions: [], queuedAt: job.claimedAt)
  }
}
