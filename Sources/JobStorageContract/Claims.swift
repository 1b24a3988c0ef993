internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let claims: [ContractCase] = [
    ContractCase("claims", "jobs are claimed in the order they came") { scene in
      try scene.enqueue("c", "a", "b")
      try scene.enqueue("0")
      try scene.expect(scene.claim().map(\.id.text), is: ["c", "a", "b", "0"])
    },
    ContractCase("claims", "higher priorities go first") { scene in
      for priority in [0, -8, 7, -1, 1] {
        try scene.enqueue("p\(priority)", priority: priority)
        try scene.enqueue("q\(priority)", priority: priority)
      }
      let order = [7, 1, 0, -1, -8].flatMap { ["p\($0)", "q\($0)"] }
      try scene.expect(scene.claim(limit: 3).map(\.id.text), is: Array(order.prefix(3)))
      try scene.expect(scene.claim().map(\.id.text), is: Array(order.dropFirst(3)))
    },
    ContractCase("claims", "priority holds in later phases") { scene in
      try scene.enqueue("low", priority: -2)
      try scene.enqueue("high", priority: 2)
      let claimed = try scene.claim()
      for job in claimed.reversed() { try scene.complete(job, next: 1) }
      try scene.expect(scene.claim(1).map(\.id.text), is: ["high", "low"])
    },
    ContractCase("claims", "a claim tells what a worker needs") { scene in
      try scene.enqueue("a")
      let queuedAt = scene.now
      scene.now = scene.now + 250
      let job = try scene.claimOne()
      scene.expect(
        job,
        is: ClaimedJob(
          id: .named("a"), token: job.token, attempt: 1, failures: 0, crashes: 0,
          instructions: Array(#"{"of":"a"}"#.utf8), queuedAt: queuedAt))
      let record = try scene.job("a")
      scene.expect(record.state, is: .running)
      scene.expect(record.attempt, is: 1)
      scene.expect(record.worker, is: .named("worker-1"))
      scene.expect(record.enqueuedAt, is: queuedAt)
      scene.expect(record.updatedAt, is: scene.now)
    },
    ContractCase("claims", "no job is given out twice") { scene in
      for number in 0..<20 { try scene.enqueue("j\(number)") }
      let claims = try scene.turn {
        $0.claims = ["w1", "w2", "w3"].map { scene.claimOf(0, limit: 8, worker: $0) }
      }.claims
      scene.expect(claims.map(\.count), is: [8, 8, 4])
      scene.expect(claims.flatMap { $0 }.map(\.id.text), is: (0..<20).map { "j\($0)" })
      try scene.expect(scene.claim().isEmpty)
      try scene.expect(scene.job("j8").worker, is: .named("w2"))
      try scene.expectHonestCounts()
    },
    ContractCase("claims", "a phase gives out its own jobs only") { scene in
      try scene.enqueue("a", "b")
      try scene.complete(try scene.claimNext(), next: 1)
      let claims = try scene.turn { $0.claims = [2, 1, 0].map { scene.claimOf($0) } }.claims
      scene.expect(claims.map { $0.map(\.id.text) }, is: [[], ["a"], ["b"]])
    },
    ContractCase("claims", "a claim of nothing gets nothing") { scene in
      try scene.enqueue("a")
      try scene.expect(scene.claim(limit: 0).isEmpty)
      try scene.expect(scene.job("a").state, is: .waiting)
    },
    ContractCase("claims", "a turn claims what it enqueues") { scene in
      let result = try scene.turn {
        $0.enqueues = [NewJob(id: .named("a"), instructions: [])]
        $0.claims = [scene.claimOf(0)]
      }
      scene.expect(result.claims.first?.map(\.id.text), is: ["a"])
    },
  ]
}
