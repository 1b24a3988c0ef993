import JobStorage
import PipelineModel
import Testing

/// Jobs of a stored definition whose phases differ from those that it is opened with.
@Suite struct DefinitionTests {
  @Test(arguments: StoreUnderTest.all)
  func jobsMoveWithTheirJobType(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("at-cut", "at-glue", "at-paint")
    let jobs = try scene.claim()
    try scene.turn { $0.settlements = [scene.release(jobs[0], counted: false)] }
    try scene.complete(jobs[1], next: 1)
    try scene.complete(jobs[2], next: 2)
    let held = try scene.claimOne(2)
    scene.store.close()
    try scene.open(["paint", "saw", "glue", "cut"])
    #expect(try ["at-cut", "at-glue", "at-paint"].map { try scene.job($0).phase } == [3, 2, 0])
    #expect(try scene.job("at-paint").attempts.map(\.phase) == [3])
    #expect(try scene.store.runningJobs().map(\.phase) == [0])
    #expect(try scene.store.counts().phases.map(\.waiting) == [0, 0, 1, 1])
    #expect(try scene.complete(held, 0, next: 1) == [.recorded])
    #expect(try scene.claim(3).map(\.id.text) == ["at-cut"] && scene.claim(1).map(\.id.text) == ["at-paint"])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func newJobsEnterTheNewFirstPhase(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("old")
    scene.store.close()
    try scene.open(["measure", "cut", "glue", "paint"])
    try scene.enqueue("new")
    #expect(try scene.claimOne(0).id.text == "new")
    #expect(try scene.claimOne(1).id.text == "old")
  }

  @Test(arguments: StoreUnderTest.all)
  func repeatedPhasesAreToldApart(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind, phases: ["wash", "dry", "wash"])
    try scene.enqueue("first", "second")
    let jobs = try scene.claim()
    try scene.turn { $0.settlements = [scene.release(jobs[0])] }
    try scene.complete(jobs[1], next: 2)
    scene.store.close()
    try scene.open(["wash", "wash", "dry"])
    #expect(try scene.job("first").phase == 0 && scene.job("second").phase == 1)
    #expect(try scene.claimOne(1).id.text == "second")
  }

  @Test(arguments: StoreUnderTest.all)
  func aPhaseWithJobsCannotGo(_ kind: StoreUnderTest) throws {
    for state in [JobState.waiting, .delayed, .running, .dead] {
      let scene = try Scene(kind)
      try scene.enqueue("a")
      try scene.complete(try scene.claimOne(), next: 1)
      if state != .waiting {
        let job = try scene.claimOne(1)
        if state == .delayed { try scene.fail(job, .retry(at: scene.now + 1_000), phase: 1) }
        if state == .dead { try scene.fail(job, .bury, phase: 1) }
      }
      let before = try scene.all()
      scene.store.close()
      let error = #expect(throws: StoreError.self) { try scene.open(["cut", "paint"]) }
      #expect(error?.kind == .definitionChanged && error?.message.contains("'glue'") == true, "\(state)")
      try scene.open()
      #expect(try scene.all() == before)
      try scene.expectHonestCounts()
    }
  }

  @Test(arguments: StoreUnderTest.all)
  func jobsThatEndedInAPhaseThatIsGoneStandAtTheLast(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("succeeded", "cancelled")
    let jobs = try scene.claim()
    try scene.complete(jobs[0], next: 2)
    try scene.complete(try scene.claimOne(2), 2, next: nil)
    try scene.complete(jobs[1], next: 2)
    _ = try scene.store.cancel(.named("cancelled"), now: scene.now)
    scene.store.close()
    try scene.open(["cut", "glue"])
    for id in ["succeeded", "cancelled"] {
      let job = try scene.job(id)
      #expect(job.state.description == id && job.phase == 1 && job.attempts.map(\.phase) == [0])
    }
    #expect(try scene.ids(JobFilter(phase: 1)) == ["cancelled", "succeeded"])
    // There is no queue that it could go back to.
    let named = JobFilter(id: .named("cancelled"), states: [.cancelled])
    #expect(try scene.store.requeue(matching: named, limit: 1, now: scene.now) == [:])
    scene.store.close()
    try scene.open()
    #expect(try scene.job("cancelled").phase == 2 && scene.job("succeeded").attempts.map(\.phase) == [0, 2])
    #expect(try scene.store.requeue(matching: named, limit: 1, now: scene.now) == [2: 1])
  }

  @Test(arguments: StoreUnderTest.all)
  func pausesAndMetricsMoveWithTheirPhase(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.store.setPaused(true, phase: 2)
    try scene.turn { $0.metrics = [PhaseMetrics(minute: 1, phase: 0), PhaseMetrics(minute: 1, phase: 2)] }
    scene.store.close()
    try scene.open(["paint", "glue"])
    #expect(try scene.store.paused() == (false, [0]))
    #expect(try scene.store.metrics(minutes: 0...9) == [PhaseMetrics(minute: 1, phase: 0)])
  }
}
