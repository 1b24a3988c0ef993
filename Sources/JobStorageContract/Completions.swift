internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let completions: [ContractCase] = [
    ContractCase("completions", "a completed job is claimable in the same turn") { scene in
      try scene.enqueue("a")
      let job = try scene.claimOne()
      scene.now = scene.now + 10
      let result = try scene.turn {
        $0.settlements = [scene.completion(job, next: 1)]
        $0.claims = [scene.claimOf(1)]
      }
      scene.expect(result.settlements, is: [.recorded])
      let next = try scene.require(result.claims.first?.first)
      scene.expect(next.id, is: job.id)
      scene.expect(next.token > job.token)
      scene.expect(next.attempt, is: 1)
      scene.expect(next.queuedAt, is: scene.now)
      scene.expect(next.instructions, is: job.instructions)
      try scene.expectHonestCounts()
    },
    ContractCase("completions", "a job goes through every phase and succeeds") { scene in
      try scene.enqueue("a")
      for phase in 0..<3 {
        let job = try scene.claimOne(phase)
        try scene.expect(scene.complete(job, phase, next: phase < 2 ? phase + 1 : nil), is: [.recorded])
      }
      let job = try scene.job("a")
      scene.expect(job.state, is: .succeeded)
      scene.expect(job.phase, is: 2)
      scene.expect(job.worker == nil)
      scene.expect(job.error == nil)
      scene.expect(job.attempts.map(\.phase), is: [0, 1, 2])
      scene.expect(job.attempts.allSatisfy { $0.outcome == .succeeded })
      try scene.expect(
        scene.store.counts(), is: StoreCounts(phases: Array(repeating: PhaseCounts(), count: 3), succeeded: 1))
    },
    ContractCase("completions", "completions queue in their order") { scene in
      try scene.enqueue("a", "b", "c")
      let jobs = try scene.claim()
      try scene.turn { $0.settlements = jobs.reversed().map { scene.completion($0, next: 1) } }
      try scene.expect(scene.claim(1).map(\.id.text), is: ["c", "b", "a"])
    },
    ContractCase("completions", "instructions are replaced or stay") { scene in
      try scene.enqueue("a", "b", "c")
      let jobs = try scene.claim(exactly: 3)
      let new = Array(#"{"new":true}"#.utf8)
      try scene.turn {
        $0.settlements = [
          scene.completion(jobs[0], next: 1, instructions: new), scene.completion(jobs[1], next: 1),
          scene.completion(jobs[2], next: nil, instructions: new),
        ]
      }
      try scene.expect(scene.claim(1).map(\.instructions), is: [new, jobs[1].instructions])
      try scene.expect(scene.job("c").instructions, is: new)
    },
    ContractCase("completions", "counters start over in the next phase") { scene in
      try scene.enqueue("a")
      try scene.fail(try scene.claimOne(), .retry(at: scene.now))
      try scene.fail(try scene.claimOne(), .retry(at: scene.now), outcome: .crashed)
      let third = try scene.claimOne()
      scene.expect(third.attempt, is: 3)
      scene.expect(third.failures, is: 1)
      scene.expect(third.crashes, is: 1)
      try scene.complete(third, next: 1)
      let record = try scene.job("a")
      scene.expect(record.attempt, is: 0)
      scene.expect(record.failures, is: 0)
      scene.expect(record.crashes, is: 0)
      scene.expect(record.state, is: .waiting)
      let next = try scene.claimOne(1)
      scene.expect(next.attempt, is: 1)
      scene.expect(next.failures, is: 0)
      scene.expect(next.crashes, is: 0)
    },
    ContractCase("completions", "a phase may be skipped or repeated") { scene in
      try scene.enqueue("a", "b")
      let jobs = try scene.claim(exactly: 2)
      try scene.complete(jobs[0], next: 2)
      try scene.complete(jobs[1], next: 0)
      try scene.expect(scene.claimOne(2).id.text, is: "a")
      try scene.expect(scene.claimOne(0).id.text, is: "b")
    },
    ContractCase("completions", "the timeline keeps the last hundred attempts") { scene in
      try scene.enqueue("a")
      for _ in 0..<105 { try scene.fail(try scene.claimOne(), .retry(at: scene.now)) }
      let job = try scene.job("a")
      scene.expect(job.attempts.map(\.number), is: Array(6...105))
      scene.expect(job.attempt, is: 105)
      scene.expect(job.failures, is: 105)
    },
    ContractCase("completions", "an attempt is kept in full") { scene in
      try scene.enqueue("a")
      let job = try scene.claimOne()
      let attempt = AttemptRecord(
        phase: 0, number: 1, worker: .named("host.example:1234/7"), plugin: "fedcba987654",
        startedAt: scene.now + -1_234, endedAt: scene.now + 5_678, outcome: .succeeded)
      try scene.turn {
        $0.settlements = [
          Settlement(
            job: job.id, token: job.token, from: 0, counters: job.counters, attempt: attempt,
            effect: .advance(to: 1, instructions: nil))
        ]
      }
      try scene.expect(scene.job("a").attempts, is: [attempt])
    },
  ]
}
