internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let failures: [ContractCase] = [
    ContractCase("failures", "a retry for later is delayed until then") { scene in
      try scene.enqueue("a")
      let due = scene.now + 1_000
      try scene.expect(scene.fail(scene.claimOne(), .retry(at: due)), is: [.recorded])
      let job = try scene.job("a")
      scene.expect(job.state, is: .delayed)
      scene.expect(job.dueAt, is: due)
      scene.expect(job.worker == nil)
      scene.expect(job.updatedAt, is: scene.now)
      try scene.expect(scene.claim().isEmpty)
      try scene.expectHonestCounts()
    },
    ContractCase("failures", "a retry at once goes to the end of its queue") { scene in
      try scene.enqueue("a", "b")
      try scene.fail(try scene.claimNext(), .retry(at: scene.now))
      let job = try scene.job("a")
      scene.expect(job.state, is: .waiting)
      scene.expect(job.dueAt == nil)
      try scene.expect(scene.claim().map(\.id.text), is: ["b", "a"])
    },
    ContractCase("failures", "a buried job is dead in the phase where it failed") { scene in
      try scene.enqueue("a")
      try scene.complete(try scene.claimOne(), next: 1)
      let job = try scene.claimOne(1)
      try scene.fail(job, .bury, phase: 1, outcome: .permanentFailure)
      let record = try scene.job("a")
      scene.expect(record.state, is: .dead)
      scene.expect(record.phase, is: 1)
      scene.expect(record.attempt, is: 1)
      scene.expect(record.failures, is: 1)
      scene.expect(record.attempts, is: [scene.attempt(job, 0, .succeeded), scene.attempt(job, 1, .permanentFailure)])
      try scene.expect(scene.store.counts().phases.map(\.dead), is: [0, 1, 0])
      try scene.expectHonestCounts()
    },
    ContractCase("failures", "a cancel verdict cancels") { scene in
      try scene.enqueue("a")
      try scene.fail(try scene.claimOne(), .cancel, outcome: .cancelled)
      let record = try scene.job("a")
      scene.expect(record.state, is: .cancelled)
      scene.expect(record.failures, is: 0)
      scene.expect(record.crashes, is: 0)
      try scene.expect(scene.store.counts().cancelled, is: 1)
      try scene.expectHonestCounts()
    },
    ContractCase("failures", "each outcome counts as documented") { scene in
      try scene.enqueue("a")
      let failing: [AttemptOutcome] = [.failed, .timedOut, .permanentFailure]
      for outcome in AttemptOutcome.allCases {
        let before = try scene.job("a")
        try scene.fail(try scene.claimOne(), .retry(at: scene.now), outcome: outcome)
        let after = try scene.job("a")
        scene.expect(after.failures - before.failures, is: (failing.contains(outcome) ? 1 : 0), "\(outcome)")
        scene.expect(after.losses - before.losses, is: (outcome == .lost ? 1 : 0), "\(outcome)")
        scene.expect(after.crashes - before.crashes, is: (outcome == .crashed ? 1 : 0), "\(outcome)")
        scene.expect(after.attempt - before.attempt, is: 1)
        scene.expect(after.attempts.last?.outcome, is: outcome)
      }
    },
    ContractCase("failures", "an error is kept in full") { scene in
      try scene.enqueue("a")
      let error = JobError(
        type: "SIGILL", message: "línea\n'2'\u{0}\"\\ %s 日本", location: "Phase.swift:7",
        standardErrorTail: String(repeating: "tail ", count: 3_276))
      try scene.fail(try scene.claimOne(), .bury, error: error)
      try scene.expect(scene.job("a").error, is: error)
    },
    ContractCase("failures", "the last error stays until the phase is done") { scene in
      try scene.enqueue("a")
      try scene.fail(try scene.claimOne(), .retry(at: scene.now), error: JobError(type: "First", message: "1"))
      let last = JobError(type: "Last", message: "2", location: "here")
      try scene.fail(try scene.claimOne(), .retry(at: scene.now), error: last)
      try scene.expect(scene.job("a").error, is: last)
      try scene.complete(try scene.claimOne(), next: 1)
      try scene.expect(scene.job("a").error == nil)
      try scene.expect(scene.ids(JobFilter(errorContains: "Last")).isEmpty)
      try scene.fail(try scene.claimOne(1), .bury, phase: 1, error: last)
      _ = try scene.store.requeue(matching: JobFilter(), limit: 1, now: scene.now)
      try scene.expect(scene.job("a").error, is: last)
      try scene.complete(try scene.claimOne(1), 1, next: nil)
      try scene.expect(scene.job("a").error == nil)
      try scene.expect(scene.job("a").state, is: .succeeded)
    },
  ]
}
