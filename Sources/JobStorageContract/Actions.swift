internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  /// On all jobs that match, a bounded step at a time.
  static let actions: [ContractCase] =
    [
      ContractCase("actions", "a step looks at no more than its limit and the next goes on") { scene in
        for number in 0..<10 { try scene.enqueue("j\(number)", priority: number % 3) }
        let steps = try scene.perform(.cancel, JobFilter(idPrefix: "j"), limit: 4)
        scene.expect(steps.count >= 3)
        scene.expect(steps.allSatisfy { $0.next.map { isPlainName($0, maximumLength: 256) } ?? true })
        scene.expect(steps.flatMap(\.cancelled).map(\.text), is: (0..<10).map { "j\($0)" })
        scene.expect(steps.reduce(0) { $0 + $1.changed }, is: 10)
        scene.expect(steps.reduce(0) { $0 + $1.examined }, is: 10)
        try scene.expect(scene.store.counts().cancelled, is: 10)
        try scene.expectHonestCounts()
      },
      ContractCase("actions", "cancelling tells which leases it broke") { scene in
        try scene.enqueue("a", "b", "c")
        try scene.enqueue("d", notBefore: scene.now + 5)
        let held = try scene.claim(first: 2)
        let leases = try scene.store.runningJobs()
        let steps = try scene.perform(.cancel)
        scene.expect(steps.flatMap(\.broken).sorted { $0.token < $1.token }, is: leases)
        scene.expect(leases.map(\.token), is: held.map(\.token))
        scene.expect(steps.flatMap(\.cancelled).map(\.text), is: ["a", "b", "c", "d"])
        try scene.expect(scene.complete(held[0], next: 1), is: [.stale])
        try scene.expect(scene.job("b").attempts.map(\.outcome), is: [.cancelled])
        try scene.expect(scene.job("c").attempts.isEmpty)
        try scene.expectHonestCounts()
      },
      ContractCase("actions", "an action on one job is one step") { scene in
        try scene.enqueueOneInEachState()
        for (action, id, changed) in [
          (FilterAction.requeue, "delayed", 1), (.requeue, "cancelled", 1), (.requeue, "succeeded", 0),
          (.cancel, "running", 1),
          (.cancel, "dead", 0), (.delete, "dead", 1), (.delete, "nobody", 0), (.requeue, "nobody", 0),
        ] {
          let steps = try scene.perform(action, JobFilter(id: .named(id)))
          scene.expect(steps.map(\.changed), is: [changed], "\(action) \(id)")
        }
        try scene.expect(scene.ids(), is: ["delayed", "waiting", "running", "cancelled", "succeeded"])
        try scene.expectHonestCounts()
      },
      ContractCase("actions", "what has changed within a time is meant alone") { scene in
        let begin = scene.now
        try scene.enqueue("a", "b", "c")
        for (index, verdict) in [RetryPolicy.Verdict.bury, .bury].enumerated() {
          scene.now = begin + Int64(10 * (index + 1))
          try scene.fail(try scene.require(try scene.claim(limit: 1).first), verdict)
        }
        scene.now = begin + 30
        _ = try scene.claim(limit: 1)
        scene.now = begin + 40
        try scene.enqueue("d", notBefore: scene.now + 9_000)
        func filter(_ first: Int64, _ last: Int64) -> JobFilter { JobFilter(changed: begin + first...begin + last) }
        for reader in try scene.readers() {
          for (first, last, ids) in [
            (0, 40, ["d", "c", "b", "a"]), (10, 10, ["a"]), (11, 30, ["c", "b"]), (31, 39, []), (30, 99, ["d", "c"]),
          ] as [(Int64, Int64, [String])] {
            let page = try reader.jobs(matching: filter(first, last), after: nil, limit: 9)
            scene.expect(page.jobs.map(\.id.text), is: ids)
            try scene.expect(reader.count(matching: filter(first, last), after: nil, limit: 9).count, is: ids.count)
          }
        }
        scene.now = begin + 100
        try scene.expect(scene.perform(.requeue, filter(11, 99)).reduce(0) { $0 + $1.changed }, is: 1)
        try scene.expect(scene.job("a").state, is: .dead)
        try scene.expect(scene.job("b").state, is: .waiting)
        try scene.expect(scene.perform(.delete, filter(100, 100)).reduce(0) { $0 + $1.changed }, is: 1)
        try scene.expect(scene.perform(.cancel, filter(0, 30)).flatMap(\.cancelled).map(\.text), is: ["c"])
        try scene.expect(scene.ids(), is: ["d", "c", "a"])
        try scene.expectHonestCounts()
      },
      ContractCase("actions", "a requeue in steps keeps its order") { scene in
        for id in ["c1", "d1", "c2", "d2", "c3", "d3"] {
          if id.hasPrefix("d") { try bury(scene, id) } else { try scene.enqueue(id) }
          if id.hasPrefix("c") { _ = try scene.store.cancel(.named(id), now: scene.now) }
        }
        let steps = try scene.perform(.requeue, JobFilter(states: [.dead, .cancelled]), limit: 2)
        scene.expect(steps.reduce(0) { $0 + ($1.requeued[0] ?? 0) }, is: 6)
        try scene.expect(scene.claim().map(\.id.text), is: ["d1", "d2", "d3", "c1", "c2", "c3"])
        try scene.expectHonestCounts()
      },
    ] + laterJobs

  /// For each action.
  private static let laterJobs: [ContractCase] = FilterAction.allCases.map { action in
    ContractCase("actions", "\(action) leaves jobs alone that came later") { scene in
      for number in 0..<4 { try bury(scene, "old-\(number)") }
      for number in 4..<8 { try scene.enqueue("old-\(number)", notBefore: scene.now + 1_000) }
      let filter = JobFilter(states: [.dead, .delayed])
      let first = try scene.store.perform(action, matching: filter, after: nil, limit: 3, now: scene.now)
      let next = try scene.require(first.next)
      try bury(scene, "new-dead")
      try scene.enqueue("new-delayed", notBefore: scene.now + 1_000)
      try scene.perform(action, filter, after: next, limit: 3)
      try scene.expect(scene.job("new-dead").state, is: .dead)
      try scene.expect(scene.job("new-delayed").state, is: .delayed)
      let untouched = try scene.all(filter).map(\.id.text).filter { $0.hasPrefix("old") }
      scene.expect(untouched, is: (action == .cancel ? ["old-3", "old-2", "old-1", "old-0"] : []))
      try scene.expectHonestCounts()
    }
  }
}

/// Takes it out of its queue, and puts the others back that it had to claim for that.
private func bury(_ scene: Scene, _ id: String) throws {
  try scene.enqueue(id)
  for job in try scene.claim() {
    if job.id.text == id {
      try scene.fail(job, .bury)
    } else {
      try scene.turn { $0.settlements = [scene.release(job)] }
    }
  }
}
