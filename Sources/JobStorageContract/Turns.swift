internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let turns: [ContractCase] = [
    ContractCase("turns", "a turn with an unknown phase writes nothing") { scene in
      try scene.enqueue("held")
      let held = try scene.claimOne()
      let before = try scene.all()
      let wrong: [(inout StoreTurn) -> Void] = [
        { $0.claims = [scene.claimOf(3)] }, { $0.claims = [scene.claimOf(-1)] },
        { $0.settlements = [scene.completion(held, next: 3)] }, { $0.metrics = [PhaseMetrics(minute: 1, phase: 3)] },
      ]
      for spoil in wrong {
        scene.expect(.misconfigured) {
          try scene.turn {
            $0.enqueues = [NewJob(id: .named("new"), instructions: [])]
            spoil(&$0)
          }
        }
        try scene.reopen()
        try scene.expect(scene.all(), is: before)
      }
      try scene.expect(scene.complete(held, next: 1), is: [.recorded])
    },
    ContractCase("turns", "the work of a turn is done in its order") { scene in
      try scene.enqueue("completed", "failed", "released")
      try scene.enqueue("due", notBefore: scene.now + 1)
      let jobs = try scene.claim(exactly: 3)
      scene.now = scene.now + 1
      let result = try scene.turn {
        $0.settlements = [
          scene.completion(jobs[0], next: 0), scene.release(jobs[2]), scene.failure(jobs[1], .retry(at: scene.now)),
        ]
        $0.enqueues = [NewJob(id: .named("new"), instructions: [])]
        $0.promotionLimit = 1
        $0.claims = [scene.claimOf(0)]
      }
      scene.expect(result.claims[0].map(\.id.text), is: ["released", "completed", "failed", "new", "due"])
      try scene.expectHonestCounts()
    },
    ContractCase("turns", "many jobs at once are all kept") { scene in
      let ids = (0..<2_500).map { "job-\($0)" }
      try scene.turn { turn in turn.enqueues = ids.map { NewJob(id: .named($0), instructions: []) } }
      for phase in 0..<3 {
        let jobs = try scene.claim(phase, limit: 5_000)
        scene.expect(jobs.map(\.id.text), is: ids)
        try scene.turn { turn in
          turn.settlements = jobs.map { scene.completion($0, phase, next: phase < 2 ? phase + 1 : nil) }
        }
      }
      try scene.expect(scene.store.counts().succeeded, is: ids.count)
      try scene.expect(scene.all(pageSize: 700).map(\.id.text), is: ids.reversed())
      try scene.expectHonestCounts()
    },
  ]
}
