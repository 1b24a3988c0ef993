internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let requeuing: [ContractCase] =
    [
      ContractCase("requeuing", "without a filter the dead come back and nobody else") { scene in
        try scene.enqueueOneInEachState()
        let others = try scene.all().filter { $0.state != .dead }
        scene.now = scene.now + 10
        try scene.expect(requeue(scene), is: [0: 1])
        let job = try scene.job("dead")
        scene.expect(job.state, is: .waiting)
        scene.expect(job.attempt, is: 0)
        scene.expect(job.failures, is: 0)
        scene.expect(job.crashes, is: 0)
        scene.expect(job.error?.type, is: "Broken")
        scene.expect(job.attempts.count, is: 1)
        scene.expect(job.updatedAt, is: scene.now)
        try scene.expect(scene.all().filter { $0.id.text != "dead" }, is: others)
        try scene.expect(scene.claim().map(\.id.text), is: ["waiting", "dead"])
        try scene.expect(requeue(scene), is: [:])
        try scene.expectHonestCounts()
      },
      ContractCase("requeuing", "jobs come back into the phase they stopped in") { scene in
        try bury(scene, "a", in: 0)
        try bury(scene, "b", in: 2)
        try bury(scene, "c", in: 2)
        try scene.expect(requeue(scene, JobFilter(phase: 2)), is: [2: 2])
        try scene.expect(scene.claim(2).map(\.id.text), is: ["b", "c"])
        try scene.expect(scene.job("a").state, is: .dead)
        try scene.expect(requeue(scene, JobFilter(id: .named("a"))), is: [0: 1])
        try scene.expect(scene.claimOne().queuedAt, is: scene.now)
        try scene.expectHonestCounts()
      },
      ContractCase("requeuing", "only those that match come back") { scene in
        try bury(scene, "x-1", JobError(type: "Timeout", message: "slow disk"))
        try bury(scene, "x-2", JobError(type: "FileMissing", message: "no file"))
        try bury(scene, "y-1", JobError(type: "FileMissing", message: "no FILE"))
        try scene.expect(requeue(scene, JobFilter(errorContains: "Nothing")), is: [:])
        try scene.expect(requeue(scene, JobFilter(id: .named("x-1"), errorContains: "Missing")), is: [:])
        try scene.expect(requeue(scene, JobFilter(states: [.cancelled])), is: [:])
        try scene.expect(requeue(scene, JobFilter(errorContains: "no file")), is: [0: 1])
        try scene.expect(requeue(scene, JobFilter(idPrefix: "y")), is: [0: 1])
        try scene.expect(scene.claim().map(\.id.text), is: ["x-2", "y-1"])
      },
      ContractCase("requeuing", "cancelled jobs come back after the dead and in their order") { scene in
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
        try scene.expect(requeue(scene, JobFilter(states: [.dead, .cancelled])), is: [0: 4])
        let claimed = try scene.claim()
        scene.expect(claimed.map(\.id.text), is: ["d1", "d2", "c1", "c2"])
        scene.expect(claimed.allSatisfy { $0.attempt == 1 })
        try scene.expectHonestCounts()
      },
      ContractCase("requeuing", "delayed jobs become due and keep their counters") { scene in
        try scene.enqueue("failed")
        try scene.fail(try scene.claimOne(), .retry(at: scene.now + 9_000))
        try scene.enqueue("later", notBefore: scene.now + 8_000)
        try scene.enqueue("latest", notBefore: scene.now + 9_000)
        scene.now = scene.now + 1
        try scene.expect(requeue(scene, JobFilter(states: [.delayed])), is: [0: 3])
        let result = try scene.turn {
          $0.promotionLimit = 10
          $0.claims = [scene.claimOf(0)]
        }
        scene.expect(result.claims[0].map(\.id.text), is: ["failed", "later", "latest"])
        scene.expect(result.claims[0].map(\.attempt), is: [2, 1, 1])
        scene.expect(result.claims[0].map(\.failures), is: [1, 0, 0])
        scene.expect(result.nextDue == nil)
        scene.expect(result.promoted.isEmpty)
        try scene.expectHonestCounts()
      },
      ContractCase("requeuing", "one call moves no more than its limit") { scene in
        for number in 0..<5 { try bury(scene, "j\(number)") }
        try scene.expect(requeue(scene, limit: 0), is: [:])
        try scene.expect(requeue(scene, limit: 3), is: [0: 3])
        try scene.expect(scene.claim().map(\.id.text), is: ["j0", "j1", "j2"])
        try scene.expect(requeue(scene, limit: 3), is: [0: 2])
      },
      ContractCase("requeuing", "instructions of other jobs stay as they are") { scene in
        try scene.enqueueOneInEachState()
        let before = try scene.all()
        for state in [JobState.succeeded, .running, .waiting] {
          let found = try scene.store.requeue(.named(state.description), with: Array("{}".utf8), now: scene.now + 9)
          scene.expect(found?.was, is: state)
          scene.expect(found?.step.changed, is: 0)
        }
        let nobody = try scene.store.requeue(.named("nobody"), with: Array("{}".utf8), now: scene.now)
        scene.expect(nobody == nil)
        try scene.expect(scene.all(), is: before)
        // A phase that is gone has no queue.
        try scene.enqueue("stranded")
        _ = try scene.store.cancel(.named("stranded"), now: scene.now)
        _ = try scene.store.cancel(.named("waiting"), now: scene.now)
        _ = try scene.store.cancel(.named("running"), now: scene.now)
        _ = try scene.store.cancel(.named("delayed"), now: scene.now)
        try scene.perform(.delete, JobFilter(states: [.dead]))
        scene.store.close()
        try scene.open(["glue", "paint"])
        let stranded = try scene.store.requeue(.named("stranded"), with: Array("{}".utf8), now: scene.now)
        scene.expect(stranded?.was, is: .cancelled)
        scene.expect(stranded?.step.changed, is: 0)
        try scene.expect(scene.job("stranded").instructions, is: Array(#"{"of":"stranded"}"#.utf8))
      },
    ] + withInstructions

  /// For each state that a job can be brought back from.
  private static let withInstructions: [ContractCase] = ["dead", "cancelled", "delayed"].map { id in
    ContractCase("requeuing", "a \(id) job goes on with the instructions that come with it") { scene in
      try scene.enqueueOneInEachState()
      let (before, text) = (try scene.job(id), Array(#"{"of":"somebody else","n":12345678901234567890}"#.utf8))
      scene.now = scene.now + 7
      let found = try scene.require(try scene.store.requeue(.named(id), with: text, now: scene.now))
      scene.expect(found.was, is: before.state)
      scene.expect(found.step.changed, is: 1)
      scene.expect(found.step.requeued, is: [0: 1])
      let job = try scene.job(id)
      scene.expect(job.state, is: .waiting)
      scene.expect(job.instructions, is: text)
      scene.expect(job.updatedAt, is: scene.now)
      scene.expect(job.attempt, is: 0)
      scene.expect(job.attempts, is: before.attempts)
      scene.expect(job.error, is: before.error)
      scene.expect(job.dueAt == nil)
      try scene.expectHonestCounts()
      try scene.reopen()
      let claimed = try scene.claim()
      scene.expect(claimed.map(\.id.text), is: ["waiting", id])
      scene.expect(claimed.last?.instructions, is: text)
      // What was dead is so again with its new size, whatever it was before.
      if let last = claimed.last { try scene.fail(last, .bury) }
      try scene.expectHonestCounts()
    }
  }
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
