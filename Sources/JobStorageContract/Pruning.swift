internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let pruning: [ContractCase] = [
    ContractCase("pruning", "nothing goes within the policy") { scene in
      try scene.enqueueOneInEachState()
      let before = try scene.all()
      scene.now = scene.now + 86_400_000
      try scene.expect(prune(scene, RetentionPolicy()), is: 0)
      try scene.expect(scene.all(), is: before)
    },
    ContractCase("pruning", "unfinished jobs never go") { scene in
      try scene.enqueueOneInEachState()
      scene.now = scene.now + 1
      let none = RetentionPolicy(maximumFinished: 0, maximumAgeMilliseconds: 0, maximumBytes: 0)
      try scene.expect(prune(scene, none), is: 2)
      try scene.expect(scene.ids(), is: ["delayed", "waiting", "running", "dead"])
      try scene.expectHonestCounts()
    },
    ContractCase("pruning", "those that ended first go first") { scene in
      try scene.enqueue("a", "b", "c", "d", "e")
      let jobs = try scene.claim(exactly: 5)
      for index in [3, 1, 4, 0, 2] { try scene.complete(jobs[index], next: nil) }
      try scene.expect(prune(scene, RetentionPolicy(maximumFinished: 3)), is: 2)
      try scene.expect(scene.ids(), is: ["e", "c", "a"])
      try scene.expect(prune(scene, RetentionPolicy(maximumFinished: 0), limit: 2), is: 2)
      try scene.expect(scene.ids(), is: ["c"])
      try scene.expectHonestCounts()
    },
    ContractCase("pruning", "old ones go") { scene in
      for id in ["a", "b", "c"] {
        scene.now = scene.now + 1_000
        try scene.enqueue(id)
        try scene.complete(try scene.claimOne(), next: nil)
      }
      let policy = RetentionPolicy(maximumAgeMilliseconds: 1_000)
      try scene.expect(prune(scene, policy), is: 1)
      scene.now = scene.now + 1
      try scene.expect(prune(scene, policy), is: 1)
      try scene.expect(scene.ids(), is: ["c"])
      try scene.expectHonestCounts()
    },
    ContractCase("pruning", "those beyond the bytes go") { scene in
      for id in ["a", "b", "c"] {
        try scene.turn { $0.enqueues = [NewJob(id: .named(id), instructions: Array(repeating: 0x20, count: 100))] }
        let job = try scene.claimOne()
        try scene.complete(job, next: nil, instructions: Array(repeating: 0x20, count: 1_000))
      }
      try scene.expect(prune(scene, RetentionPolicy(maximumBytes: 3_000)), is: 0)
      try scene.expect(prune(scene, RetentionPolicy(maximumBytes: 2_999)), is: 1)
      try scene.expect(scene.ids(), is: ["c", "b"])
      try scene.expect(scene.store.delete(matching: JobFilter(id: .named("c")), limit: 1, now: scene.now), is: 1)
      try scene.reopen()
      try scene.expect(prune(scene, RetentionPolicy(maximumBytes: 1_000)), is: 0)
      try scene.expect(prune(scene, RetentionPolicy(maximumBytes: 999)), is: 1)
    },
    ContractCase("pruning", "a job that came back is not pruned") { scene in
      try scene.enqueue("a", "b")
      for job in try scene.claim() { try scene.fail(job, .bury) }
      _ = try scene.store.requeue(matching: JobFilter(id: .named("a")), limit: 1, now: scene.now)
      let none = RetentionPolicy(maximumDead: 0)
      try scene.expect(prune(scene, none), is: 1)
      try scene.fail(try scene.claimOne(), .bury)
      try scene.expect(prune(scene, none), is: 1)
      try scene.expect(scene.all().isEmpty)
    },
    ContractCase("pruning", "dead jobs are kept by a rule of their own") { scene in
      for id in ["d1", "s1", "d2", "s2", "d3"] {
        try scene.enqueue(id)
        let job = try scene.claimOne()
        if id.hasPrefix("d") { try scene.fail(job, .bury) } else { try scene.complete(job, next: nil) }
      }
      scene.now = scene.now + 1_000
      let nothingFinished = RetentionPolicy(maximumFinished: 0, maximumAgeMilliseconds: 0, maximumBytes: 0)
      try scene.expect(prune(scene, nothingFinished, limit: 1), is: 1)
      try scene.expect(scene.ids(), is: ["d3", "s2", "d2", "d1"])
      try scene.expect(prune(scene, RetentionPolicy(maximumDead: 3)), is: 0)
      try scene.expect(prune(scene, RetentionPolicy(maximumDead: 1)), is: 2)
      try scene.expect(scene.ids(), is: ["d3", "s2"])
      try scene.reopen()
      try scene.expect(prune(scene, nothingFinished), is: 1)
      try scene.expect(prune(scene, RetentionPolicy(maximumDead: 0)), is: 1)
      try scene.expect(scene.all().isEmpty)
      try scene.expectHonestCounts()
    },
    ContractCase("pruning", "one call prunes no more than its limit") { scene in
      for id in ["d1", "d2", "s1", "s2", "s3"] {
        try scene.enqueue(id)
        let job = try scene.claimOne()
        if id.hasPrefix("d") { try scene.fail(job, .bury) } else { try scene.complete(job, next: nil) }
      }
      let none = RetentionPolicy(maximumFinished: 0, maximumDead: 0)
      try scene.expect(prune(scene, none, limit: 0), is: 0)
      try scene.expect((0..<3).map { _ in try prune(scene, none, limit: 2) }, is: [2, 2, 1])
    },
  ]
}

private func prune(_ scene: Scene, _ policy: RetentionPolicy, limit: Int = 1_000) throws -> Int {
  try scene.store.prune(policy, metricsBefore: 0, limit: limit, now: scene.now)
}
