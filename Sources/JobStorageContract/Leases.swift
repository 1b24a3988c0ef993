internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let leases: [ContractCase] = [
    ContractCase("leases", "released jobs go to the front in their order") { scene in
      try scene.enqueue("a", "b", "c", "d")
      let jobs = try scene.claim(first: 3)
      let result = try scene.turn { $0.settlements = [jobs[2], jobs[0], jobs[1]].map { scene.release($0) } }
      scene.expect(result.settlements, is: [.recorded, .recorded, .recorded])
      try scene.expect(scene.claim().map(\.id.text), is: ["c", "a", "b", "d"])
    },
    ContractCase("leases", "later releases go before earlier ones") { scene in
      try scene.enqueue("a", "b", "c")
      let jobs = try scene.claim()
      for job in jobs { try scene.turn { $0.settlements = [scene.release(job)] } }
      try scene.enqueue("d")
      try scene.expect(scene.claim().map(\.id.text), is: ["c", "b", "a", "d"])
    },
    ContractCase("leases", "a released job does not pass a higher priority") { scene in
      try scene.enqueue("low")
      let low = try scene.claimOne()
      try scene.enqueue("high", priority: 1)
      try scene.enqueue("other")
      try scene.turn { $0.settlements = [scene.release(low)] }
      try scene.expect(scene.claim().map(\.id.text), is: ["high", "low", "other"])
    },
    ContractCase("leases", "a release counts where the attempt began") { scene in
      try scene.enqueue("began", "never")
      let jobs = try scene.claim(exactly: 2)
      scene.now = scene.now + 40
      try scene.turn { $0.settlements = [scene.release(jobs[0]), scene.release(jobs[1], counted: false)] }
      let (began, never) = (try scene.job("began"), try scene.job("never"))
      scene.expect(began.state, is: .waiting)
      scene.expect(began.attempt, is: 1)
      scene.expect(began.attempts, is: [scene.attempt(jobs[0], 0, .lost)])
      scene.expect(never.state, is: .waiting)
      scene.expect(never.attempt, is: 0)
      scene.expect(never.attempts.isEmpty)
      scene.expect(began.failures, is: 0)
      scene.expect(began.crashes, is: 0)
      scene.expect(began.worker == nil)
      scene.expect(began.error == nil)
      let again = try scene.claim()
      scene.expect(again.map(\.attempt), is: [2, 1])
      scene.expect(again.allSatisfy { $0.queuedAt == scene.now })
      try scene.expectHonestCounts()
    },
    ContractCase("leases", "a turn gives out what it releases") { scene in
      try scene.enqueue("a")
      let job = try scene.claimOne()
      let result = try scene.turn {
        $0.settlements = [scene.release(job, counted: false)]
        $0.claims = [scene.claimOf(0, worker: "w2")]
      }
      let next = try scene.require(result.claims[0].first)
      scene.expect(next.id, is: job.id)
      scene.expect(next.token > job.token)
      scene.expect(next.attempt, is: 1)
      try scene.expect(scene.job("a").worker, is: .named("w2"))
    },
    ContractCase("leases", "running jobs tell every lease") { scene in
      try scene.expect(scene.store.runningJobs().isEmpty)
      try scene.enqueue("a", "b", "c")
      let jobs = try scene.claim(first: 2, worker: "w9")
      try scene.fail(jobs[0], .retry(at: scene.now))
      try scene.complete(jobs[1], next: 1)
      scene.now = scene.now + 7
      let again = try scene.claim(first: 2)
      let next = try scene.claimOne(1)
      let expected = [again[0], again[1], next].map { job in
        RunningJob(
          id: job.id, token: job.token, phase: job.id.text == "b" ? 1 : 0, worker: .named("worker-1"),
          attempt: job.attempt, failures: job.failures, crashes: 0, claimedAt: scene.now)
      }
      scene.expect(again.map(\.id.text), is: ["c", "a"])
      scene.expect(again.map(\.failures), is: [0, 1])
      try scene.expect(scene.heldLeases(), is: expected)
    },
  ]
}
