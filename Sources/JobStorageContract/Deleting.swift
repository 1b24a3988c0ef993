internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let deleting: [ContractCase] = [
    ContractCase("deleting", "everything but running jobs is deleted") { scene in
      try scene.enqueueOneInEachState()
      try scene.expect(delete(scene), is: 5)
      try scene.expect(scene.ids(), is: ["running"])
      try scene.expect(scene.store.job(.named("dead")) == nil)
      scene.now = scene.now + 5_000
      let result = try scene.turn {
        $0.promotionLimit = 10
        $0.claims = [scene.claimOf(0)]
      }
      scene.expect(result.promoted.isEmpty)
      scene.expect(result.nextDue == nil)
      scene.expect(result.claims[0].isEmpty)
      try scene.expect(scene.store.requeue(matching: JobFilter(), limit: 10, now: scene.now), is: [:])
      try scene.expect(scene.store.runningJobs().count, is: 1)
      try scene.expectHonestCounts()
    },
    ContractCase("deleting", "only jobs that match are deleted") { scene in
      try scene.enqueueOneInEachState()
      try scene.expect(delete(scene, JobFilter(states: [.running])), is: 0)
      try scene.expect(delete(scene, JobFilter(id: .named("waiting"), states: [.dead])), is: 0)
      try scene.expect(delete(scene, JobFilter(phase: 1)), is: 0)
      try scene.expect(delete(scene, JobFilter(idPrefix: "d")), is: 2)
      try scene.expect(delete(scene, JobFilter(states: [.cancelled, .succeeded])), is: 2)
      try scene.expect(scene.ids(), is: ["waiting", "running"])
      try scene.expectHonestCounts()
    },
    ContractCase("deleting", "jobs are deleted by their error") { scene in
      try scene.enqueueOneInEachState()
      try scene.expect(delete(scene, JobFilter(errorContains: "broke")), is: 1)
      try scene.expect(scene.store.job(.named("dead")) == nil)
      // The same id again has nothing of the one before.
      try scene.enqueue("dead")
      let job = try scene.job("dead")
      scene.expect(job.error == nil)
      scene.expect(job.attempts.isEmpty)
      scene.expect(job.attempt, is: 0)
      try scene.expectHonestCounts()
    },
    ContractCase("deleting", "one call deletes no more than its limit") { scene in
      for number in 0..<10 { try scene.enqueue("j\(number)") }
      try scene.expect(delete(scene, limit: 0), is: 0)
      try scene.expect(delete(scene, JobFilter(id: .named("j3")), limit: 0), is: 0)
      try scene.expect(delete(scene, limit: 4), is: 4)
      try scene.expect(scene.all().count, is: 6)
      try scene.expect(delete(scene, limit: 100), is: 6)
      try scene.expect(delete(scene, limit: 100), is: 0)
      try scene.expectHonestCounts()
    },
    ContractCase("deleting", "the queue goes on around a deleted job") { scene in
      try scene.enqueue("a", "b", "c")
      try scene.expect(delete(scene, JobFilter(id: .named("b"))), is: 1)
      try scene.enqueue("b")
      try scene.expect(scene.ids(), is: ["b", "c", "a"])
      try scene.expect(scene.claim().map(\.id.text), is: ["a", "c", "b"])
    },
  ]
}

private func delete(_ scene: Scene, _ filter: JobFilter = JobFilter(), limit: Int = 1_000) throws -> Int {
  try scene.store.delete(matching: filter, limit: limit, now: scene.now)
}
