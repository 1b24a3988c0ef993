import JobStorage
import PipelineModel
import Testing

@Suite struct TurnTests {
  @Test(arguments: StoreUnderTest.all)
  func aTurnWithAnUnknownPhaseWritesNothing(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("held")
    let held = try scene.claimOne()
    let before = try scene.all()
    let wrong: [(inout StoreTurn) -> Void] = [
      { $0.claims = [scene.claimOf(3)] }, { $0.claims = [scene.claimOf(-1)] },
      { $0.settlements = [scene.completion(held, next: 3)] }, { $0.metrics = [PhaseMetrics(minute: 1, phase: 3)] },
    ]
    for spoil in wrong {
      let error = #expect(throws: StoreError.self) {
        try scene.turn {
          $0.enqueues = [NewJob(id: .named("new"), instructions: [])]
          spoil(&$0)
        }
      }
      #expect(error?.kind == .misconfigured)
      try scene.reopen()
      #expect(try scene.all() == before)
    }
    #expect(try scene.complete(held, next: 1) == [.recorded])
  }

  @Test(arguments: StoreUnderTest.all)
  func theWorkOfATurnIsDoneInItsOrder(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("completed", "failed", "released")
    try scene.enqueue("due", notBefore: scene.now + 1)
    let jobs = try scene.claim()
    scene.now = scene.now + 1
    let result = try scene.turn {
      $0.settlements = [
        scene.completion(jobs[0], next: 0), scene.release(jobs[2]), scene.failure(jobs[1], .retry(at: scene.now)),
      ]
      $0.enqueues = [NewJob(id: .named("new"), instructions: [])]
      $0.promotionLimit = 1
      $0.claims = [scene.claimOf(0)]
    }
    #expect(result.claims[0].map(\.id.text) == ["released", "completed", "failed", "new", "due"])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func manyJobsAtOnceAreAllKept(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let ids = (0..<2_500).map { "job-\($0)" }
    try scene.turn { turn in turn.enqueues = ids.map { NewJob(id: .named($0), instructions: []) } }
    for phase in 0..<3 {
      let jobs = try scene.claim(phase, limit: 5_000)
      #expect(jobs.map(\.id.text) == ids)
      try scene.turn { turn in
        turn.settlements = jobs.map { scene.completion($0, phase, next: phase < 2 ? phase + 1 : nil) }
      }
    }
    #expect(try scene.store.counts().succeeded == ids.count)
    #expect(try scene.all(pageSize: 700).map(\.id.text) == ids.reversed())
    try scene.expectHonestCounts()
  }
}
