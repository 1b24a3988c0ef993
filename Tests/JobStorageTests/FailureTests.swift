import JobStorage
import PipelineModel
import Testing

@Suite struct FailureTests {
  @Test(arguments: StoreUnderTest.all)
  func aRetryForLaterIsDelayedUntilThen(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    let due = scene.now + 1_000
    #expect(try scene.fail(try scene.claimOne(), .retry(at: due)) == [.recorded])
    let job = try scene.job("a")
    #expect(job.state == .delayed && job.dueAt == due && job.worker == nil && job.updatedAt == scene.now)
    #expect(try scene.claim().isEmpty)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func aRetryAtOnceGoesToTheEndOfItsQueue(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b")
    try scene.fail(try scene.claim(limit: 1)[0], .retry(at: scene.now))
    let job = try scene.job("a")
    #expect(job.state == .waiting && job.dueAt == nil)
    #expect(try scene.claim().map(\.id.text) == ["b", "a"])
  }

  @Test(arguments: StoreUnderTest.all)
  func aBuriedJobIsDeadInThePhaseWhereItFailed(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    try scene.complete(try scene.claimOne(), next: 1)
    let job = try scene.claimOne(1)
    try scene.fail(job, .bury, phase: 1, outcome: .permanentFailure)
    let record = try scene.job("a")
    #expect(record.state == .dead && record.phase == 1 && record.attempt == 1 && record.failures == 1)
    #expect(record.attempts == [scene.attempt(job, 0, .succeeded), scene.attempt(job, 1, .permanentFailure)])
    #expect(try scene.store.counts().phases.map(\.dead) == [0, 1, 0])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func aCancelVerdictCancels(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    try scene.fail(try scene.claimOne(), .cancel, outcome: .cancelled)
    let record = try scene.job("a")
    #expect(record.state == .cancelled && record.failures == 0 && record.crashes == 0)
    #expect(try scene.store.counts().cancelled == 1)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func eachOutcomeCountsAsDocumented(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    let failing: [AttemptOutcome] = [.failed, .timedOut, .permanentFailure]
    for outcome in AttemptOutcome.allCases {
      let before = try scene.job("a")
      try scene.fail(try scene.claimOne(), .retry(at: scene.now), outcome: outcome)
      let after = try scene.job("a")
      #expect(after.failures - before.failures == (failing.contains(outcome) ? 1 : 0), "\(outcome)")
      #expect(after.losses - before.losses == (outcome == .lost ? 1 : 0), "\(outcome)")
      #expect(after.crashes - before.crashes == (outcome == .crashed ? 1 : 0), "\(outcome)")
      #expect(after.attempt - before.attempt == 1 && after.attempts.last?.outcome == outcome)
    }
  }

  @Test(arguments: StoreUnderTest.all)
  func anErrorIsKeptInFull(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    let error = JobError(
      type: "SIGILL", message: "línea\n'2'\u{0}\"\\ %s 日本", location: "Phase.swift:7",
      standardErrorTail: String(repeating: "tail ", count: 3_276))
    try scene.fail(try scene.claimOne(), .bury, error: error)
    #expect(try scene.job("a").error == error)
  }

  @Test(arguments: StoreUnderTest.all)
  func theLastErrorStaysUntilThePhaseIsDone(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    try scene.fail(try scene.claimOne(), .retry(at: scene.now), error: JobError(type: "First", message: "1"))
    let last = JobError(type: "Last", message: "2", location: "here")
    try scene.fail(try scene.claimOne(), .retry(at: scene.now), error: last)
    #expect(try scene.job("a").error == last)
    try scene.complete(try scene.claimOne(), next: 1)
    #expect(try scene.job("a").error == nil && scene.ids(JobFilter(errorContains: "Last")).isEmpty)
    try scene.fail(try scene.claimOne(1), .bury, phase: 1, error: last)
    _ = try scene.store.requeue(matching: JobFilter(), limit: 1, now: scene.now)
    #expect(try scene.job("a").error == last)
    try scene.complete(try scene.claimOne(1), 1, next: nil)
    #expect(try scene.job("a").error == nil && scene.job("a").state == .succeeded)
  }
}
