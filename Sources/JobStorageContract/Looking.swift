internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let looking: [ContractCase] = [
    ContractCase("looking", "a reader sees what the store does") { scene in
      let readers = try scene.readers()
      for step in 0..<2 {
        try scene.turn { $0.metrics = [PhaseMetrics(minute: 7, phase: 0)] }
        if step == 0 { try scene.enqueueOneInEachState() } else { try scene.perform(.requeue) }
        let expected = try scene.all()
        for reader in readers {
          try scene.expect(reader.jobs(matching: JobFilter(), after: nil, limit: 100).jobs, is: expected)
          try scene.expect(expected.map { try reader.job($0.id) }, is: expected)
          try scene.expect(reader.counts(), is: scene.store.counts())
          try scene.expect(reader.metrics(minutes: 0...9), is: scene.store.metrics(minutes: 0...9))
        }
      }
      for reader in readers.dropFirst() { reader.close() }
    },
    ContractCase("looking", "a running job is shown with its worker") { scene in
      let readers = try scene.readers()
      try scene.enqueue("a", "b")
      scene.now = scene.now + 40
      _ = try scene.claim(limit: 1, worker: "w7")
      for reader in readers {
        let job = try scene.require(try reader.job(.named("a")))
        scene.expect(job.state, is: .running)
        scene.expect(job.worker, is: .named("w7"))
        scene.expect(job.attempt, is: 1)
        scene.expect(job.updatedAt, is: scene.now)
        try scene.expect(reader.jobs(matching: JobFilter(states: [.running]), after: nil, limit: 9).jobs, is: [job])
        try scene.expect(reader.count(matching: JobFilter(states: [.waiting]), after: nil, limit: 9).count, is: 1)
        try scene.expect(reader.states(of: [.named("a"), .named("b")]), is: [.running, .waiting])
        try scene.expect(reader.counts().phases.first, is: PhaseCounts(waiting: 1, running: 1))
      }
    },
    ContractCase("looking", "states come in the order of the ids") { scene in
      try scene.enqueueOneInEachState()
      let names = ["dead", "nobody", "waiting", "dead", "running", "succeeded", "cancelled", "delayed"]
      for reader in try scene.readers() {
        let states = try reader.states(of: names.map { .named($0) })
        scene.expect(states.map { $0?.description ?? "nobody" }, is: names)
        try scene.expect(reader.states(of: []).isEmpty)
        try scene.expect(reader.states(of: (0..<1_000).map { .named("x\($0)") }).allSatisfy { $0 == nil })
      }
    },
    ContractCase("looking", "counting goes on where it ended") { scene in
      for number in 0..<10 { try scene.enqueue("\(number % 2 == 0 ? "even" : "odd")-\(number)") }
      _ = try scene.store.cancel(.named("even-4"), now: scene.now)
      for reader in try scene.readers() {
        for limit in [1, 3, 10, 100] {
          for (filter, expected) in [
            (JobFilter(), 10), (JobFilter(idPrefix: "even"), 5), (JobFilter(states: [.waiting], idPrefix: "even"), 4),
            (JobFilter(states: [.dead]), 0), (JobFilter(phase: 1), 0), (JobFilter(id: .named("odd-3")), 1),
            (JobFilter(id: .named("nobody")), 0), (JobFilter(states: []), 0),
          ] {
            var found = 0
            try scene.follow(nil) { cursor in
              let step = try reader.count(matching: filter, after: cursor, limit: limit)
              scene.expect(step.examined <= limit)
              scene.expect(step.count <= step.examined)
              found += step.count
              return step.next
            }
            scene.expect(found, is: expected, "\(filter) by \(limit)")
          }
        }
      }
    },
    ContractCase("looking", "dead bytes are those of the instructions") { scene in
      for (id, bytes) in [("a", 100), ("b", 2_000)] {
        try scene.turn { $0.enqueues = [NewJob(id: .named(id), instructions: Array(repeating: 0x20, count: bytes))] }
        try scene.fail(try scene.claimOne(), .bury)
      }
      try scene.expect(scene.store.counts().deadBytes, is: 2_100)
      try scene.reopen()
      try scene.expect(scene.store.counts().deadBytes, is: 2_100)
      try scene.perform(.requeue, JobFilter(id: .named("b")))
      try scene.expect(scene.store.counts().deadBytes, is: 100)
      try scene.perform(.delete, JobFilter(states: [.dead]))
      try scene.expect(scene.store.counts().deadBytes, is: 0)
    },
  ]
}
