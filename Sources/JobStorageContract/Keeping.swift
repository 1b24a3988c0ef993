internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  /// What is still there after the store was closed and opened again.
  static let keeping: [ContractCase] = [
    ContractCase("keeping", "jobs leases and counts are kept") { scene in
      try scene.enqueueOneInEachState()
      let before = (try scene.all(), try scene.store.counts(), try scene.store.runningJobs())
      try scene.reopen()
      try scene.expect(scene.all(), is: before.0)
      try scene.expect(scene.store.counts(), is: before.1)
      try scene.expect(scene.store.runningJobs(), is: before.2)
      let held = try scene.require(before.2.first)
      let answer = try scene.turn {
        $0.settlements = [held.givenBack]
      }
      scene.expect(answer.settlements, is: [.recorded])
      try scene.expectHonestCounts()
    },
    ContractCase("keeping", "the order of queues is kept") { scene in
      try scene.enqueue("a", "b", "c")
      try scene.enqueue("first", priority: 1)
      try scene.enqueue("late", notBefore: scene.now + 10)
      try scene.enqueue("early", notBefore: scene.now + 5)
      let jobs = try scene.claim(first: 3)
      try scene.turn { $0.settlements = [scene.release(jobs[2]), scene.release(jobs[1])] }
      try scene.reopen()
      scene.now = scene.now + 10
      try scene.turn { $0.settlements = [scene.release(jobs[0])] }
      try scene.enqueue("d")
      try scene.turn { $0.promotionLimit = 10 }
      try scene.expect(scene.claim().map(\.id.text), is: ["first", "b", "a", "c", "d", "early", "late"])
    },
    ContractCase("keeping", "new jobs are newer than those before") { scene in
      try scene.enqueue("a", "b", "c")
      _ = try scene.store.delete(matching: JobFilter(id: .named("c")), limit: 1, now: scene.now)
      try scene.reopen()
      try scene.enqueue("d")
      try scene.expect(scene.ids(), is: ["d", "b", "a"])
    },
    ContractCase("keeping", "pauses are kept until they are lifted") { scene in
      try scene.expect(scene.store.paused() == (false, []))
      try scene.store.setPaused(true, phase: 2)
      try scene.store.setPaused(true, phase: 0)
      try scene.store.setPaused(true, phase: nil)
      try scene.store.setPaused(true, phase: 2)
      try scene.reopen()
      try scene.expect(scene.store.paused() == (true, [0, 2]))
      try scene.store.setPaused(false, phase: 2)
      try scene.store.setPaused(false, phase: nil)
      try scene.reopen()
      try scene.expect(scene.store.paused() == (false, [0]))
    },
    ContractCase("keeping", "a phase that is not there cannot be paused") { scene in
      for phase in [3, -1] {
        scene.expect(.misconfigured) { try scene.store.setPaused(true, phase: phase) }
        try scene.reopen()
      }
      try scene.expect(scene.store.paused() == (false, []))
    },
    ContractCase("keeping", "a closed store answers nothing") { scene in
      try scene.enqueue("a")
      scene.store.close()
      scene.store.close()
      scene.expect(.unavailable) { try scene.claim() }
      scene.expect(.unavailable) { try scene.store.counts() }
      scene.expect(.unavailable) { try scene.store.keepOwnership(now: scene.now) }
      try scene.open()
      try scene.expect(scene.claimOne().id.text, is: "a")
    },
  ]
}
