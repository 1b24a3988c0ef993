internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let cancelling: [ContractCase] = [
    ContractCase("cancelling", "cancelling tells the state and leaves final ones alone") { scene in
      try scene.enqueueOneInEachState()
      scene.now = scene.now + 10
      for state in JobState.allCases {
        let before = try scene.job(state.description)
        let answer = try scene.require(try scene.store.cancel(.named(state.description), now: scene.now))
        scene.expect(answer.was, is: state)
        scene.expect(answer.lease != nil, is: state == .running)
        let after = try scene.job(state.description)
        if state.isFinal {
          scene.expect(after, is: before)
        } else {
          scene.expect(after.state, is: .cancelled)
          scene.expect(after.updatedAt, is: scene.now)
          scene.expect(after.dueAt == nil)
          scene.expect(after.worker == nil)
        }
      }
      try scene.expect(scene.store.counts().cancelled, is: 4)
      try scene.expectHonestCounts()
    },
    ContractCase("cancelling", "cancelling a running job breaks its lease") { scene in
      try scene.enqueue("a")
      try scene.complete(try scene.claimOne(), next: 1)
      let job = try scene.claimOne(1)
      let lease = try scene.store.runningJobs()
      let answer = try scene.require(try scene.store.cancel(job.id, now: scene.now))
      scene.expect([answer.lease], is: lease)
      scene.expect(answer.lease?.token, is: job.token)
      try scene.expect(scene.store.runningJobs().isEmpty)
      try scene.expect(scene.complete(job, 1, next: 2), is: [.stale])
      let record = try scene.job("a")
      scene.expect(record.state, is: .cancelled)
      scene.expect(record.phase, is: 1)
      let attempt = try scene.require(record.attempts.last)
      scene.expect(record.attempts.count, is: 2)
      scene.expect(attempt.outcome, is: .cancelled)
      scene.expect(attempt.phase, is: 1)
      scene.expect(attempt.number, is: 1)
      scene.expect(attempt.worker, is: .named("worker-1"))
      scene.expect(attempt.endedAt, is: scene.now)
    },
    ContractCase("cancelling", "an unknown job cannot be cancelled") { scene in
      try scene.expect(scene.store.cancel(.named("nobody"), now: scene.now) == nil)
    },
    ContractCase("cancelling", "a cancelled job comes no more") { scene in
      try scene.enqueue("w1", "w2", "w3")
      try scene.enqueue("d1", notBefore: scene.now + 5)
      try scene.enqueue("d2", notBefore: scene.now + 10)
      for id in ["w2", "d1"] { _ = try scene.store.cancel(.named(id), now: scene.now) }
      let result = try scene.turn {
        $0.promotionLimit = 10
        $0.claims = [scene.claimOf(0)]
      }
      scene.expect(result.nextDue, is: scene.now + 10)
      scene.expect(result.claims[0].map(\.id.text), is: ["w1", "w3"])
      scene.now = scene.now + 10
      let later = try scene.turn {
        $0.promotionLimit = 10
        $0.claims = [scene.claimOf(0)]
      }
      scene.expect(later.promoted, is: [0: 1])
      scene.expect(later.nextDue == nil)
      scene.expect(later.claims[0].map(\.id.text), is: ["d2"])
      try scene.expectHonestCounts()
    },
  ]
}
