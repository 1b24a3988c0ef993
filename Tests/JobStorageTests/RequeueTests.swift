import JobStorage
import PipelineModel
import Testing

@Suite struct RequeueTests {
  @Test(arguments: StoreUnderTest.all)
  func withoutAFilterTheDeadComeBackAndNobodyElse(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    let others = try scene.all().filter { $0.state != .dead }
    scene.now = scene.now + 10
    #expect(try requeue(scene) == [0: 1])
    let job = try scene.job("dead")
    #expect(job.state == .waiting && job.attempt == 0 && job.failures == 0 && job.crashes == 0)
    #expect(job.error?.type == "Broken" && job.attempts.count == 1 && job.updatedAt == scene.now)
    #expect(try scene.all().filter { $0.id.text != "dead" } == others)
    #expect(try scene.claim().map(\.id.text) == ["waiting", "dead"])
    #expect(try requeue(scene) == [:])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func jobsComeBackIntoThePhaseTheyStoppedIn(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try bury(scene, "a", in: 0)
    try bury(scene, "b", in: 2)
    try bury(scene, "c", in: 2)
    #expect(try requeue(scene, JobFilter(phase: 2)) == [2: 2])
    #expect(try scene.claim(2).map(\.id.text) == ["b", "c"])
    #expect(try scene.job("a").state == .dead)
    #expect(try requeue(scene, JobFilter(id: .named("a"))) == [0: 1])
    #expect(try scene.claimOne().queuedAt == scene.now)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func onlyThoseThatMatchComeBack(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try bury(scene, "x-1", JobError(type: "Timeout", message: "slow disk"))
    try bury(scene, "x-2", JobError(type: "FileMissing", message: "no file"))
    try bury(scene, "y-1", JobError(type: "FileMissing", message: "no FILE"))
    #expect(try requeue(scene, JobFilter(errorContains: "Nothing")) == [:])
    #expect(try requeue(scene, JobFilter(id: .named("x-1"), errorContains: "Missing")) == [:])
    #expect(try requeue(scene, JobFilter(states: [.cancelled])) == [:])
    #expect(try requeue(scene, JobFilter(errorContains: "no file")) == [0: 1])
    #expect(try requeue(scene, JobFilter(idPrefix: "y")) == [0: 1])
    #expect(try scene.claim().map(\.id.text) == ["x-2", "y-1"])
  }

  @Test(arguments: StoreUnderTest.all)
  func cancelledJobsComeBackAfterTheDeadAndInTheirOrder(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for id in ["c1", "d1", "c2", "d2"] { try scene.enqueue(id) }
    let jobs = try scene.claim()
    // They end in another order than they were enqueued in.
    for job in jobs.reversed() {
      if job.id.text.hasPrefix("d") {
        try scene.fail(job, .bury)
      } else {
        _ = try scene.store.cancel(job.id, now: scene.now)
      }
    }
    #expect(try requeue(scene, JobFilter(states: [.dead, .cancelled])) == [0: 4])
    let claimed = try scene.claim()
    #expect(claimed.map(\.id.text) == ["d1", "d2", "c1", "c2"] && claimed.allSatisfy { $0.attempt == 1 })
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func delayedJobsBecomeDueAndKeepTheirCounters(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("failed")
    try scene.fail(try scene.claimOne(), .retry(at: scene.now + 9_000))
    try scene.enqueue("later", notBefore: scene.now + 8_000)
    try scene.enqueue("latest", notBefore: scene.now + 9_000)
    scene.now = scene.now + 1
    #expect(try requeue(scene, JobFilter(states: [.delayed])) == [0: 3])
    let result = try scene.turn {
      $0.promotionLimit = 10
      $0.claims = [scene.claimOf(0)]
    }
    #expect(result.claims[0].map(\.id.text) == ["failed", "later", "latest"])
    #expect(result.claims[0].map(\.attempt) == [2, 1, 1] && result.claims[0].map(\.failures) == [1, 0, 0])
    #expect(result.nextDue == nil && result.promoted.isEmpty)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func oneCallMovesNoMoreThanItsLimit(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for number in 0..<5 { try bury(scene, "j\(number)") }
    #expect(try requeue(scene, limit: 0) == [:])
    #expect(try requeue(scene, limit: 3) == [0: 3])
    #expect(try scene.claim().map(\.id.text) == ["j0", "j1", "j2"])
    #expect(try requeue(scene, limit: 3) == [0: 2])
  }

  @Test(arguments: StoreUnderTest.all, ["dead", "cancelled", "delayed"])
  func aJobGoesOnWithTheInstructionsThatComeWithIt(_ kind: StoreUnderTest, _ id: String) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    let (before, text) = (try scene.job(id), Array(#"{"of":"somebody else","n":12345678901234567890}"#.utf8))
    scene.now = scene.now + 7
    let found = try #require(try scene.store.requeue(.named(id), with: text, now: scene.now))
    #expect(found.was == before.state && found.step.changed == 1 && found.step.requeued == [0: 1])
    let job = try scene.job(id)
    #expect(job.state == .waiting && job.instructions == text && job.updatedAt == scene.now && job.attempt == 0)
    #expect(job.attempts == before.attempts && job.error == before.error && job.dueAt == nil)
    try scene.expectHonestCounts()
    try scene.reopen()
    let claimed = try scene.claim()
    #expect(claimed.map(\.id.text) == ["waiting", id] && claimed.last?.instructions == text)
    // What was dead is so again with its new size, whatever it was before.
    if let last = claimed.last { try scene.fail(last, .bury) }
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func instructionsOfOtherJobsStayAsTheyAre(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    let before = try scene.all()
    for state in [JobState.succeeded, .running, .waiting] {
      let found = try scene.store.requeue(.named(state.description), with: Array("{}".utf8), now: scene.now + 9)
      #expect(found?.was == state && found?.step.changed == 0)
    }
    let nobody = try scene.store.requeue(.named("nobody"), with: Array("{}".utf8), now: scene.now)
    #expect(nobody == nil)
    #expect(try scene.all() == before)
    // A phase that is gone has no queue.
    try scene.enqueue("stranded")
    _ = try scene.store.cancel(.named("stranded"), now: scene.now)
    _ = try scene.store.cancel(.named("waiting"), now: scene.now)
    _ = try scene.store.cancel(.named("running"), now: scene.now)
    _ = try scene.store.cancel(.named("delayed"), now: scene.now)
    _ = try scene.perform(.delete, JobFilter(states: [.dead]))
    scene.store.close()
    try scene.open(["glue", "paint"])
    let stranded = try scene.store.requeue(.named("stranded"), with: Array("{}".utf8), now: scene.now)
    #expect(stranded?.was == .cancelled && stranded?.step.changed == 0)
    #expect(try scene.job("stranded").instructions == Array(#"{"of":"stranded"}"#.utf8))
  }

  private func requeue(_ scene: Scene, _ filter: JobFilter = JobFilter(), limit: Int = 1_000) throws -> [Int: Int] {
    try scene.store.requeue(matching: filter, limit: limit, now: scene.now)
  }

  private func bury(
    _ scene: Scene, _ id: String, in phase: Int = 0, _ error: JobError = JobError(type: "Broken", message: "it broke")
  ) throws {
    try scene.enqueue(id)
    for step in 0..<phase { try scene.complete(try scene.claimOne(step), step, next: step + 1) }
    try scene.fail(try scene.claimOne(phase), .bury, phase: phase, error: error)
  }
}
