internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let pages: [ContractCase] = [
    ContractCase("pages", "pages follow each other without gaps or repeats") { scene in
      let ids = (0..<23).map { "j\($0)" }
      for id in ids { try scene.enqueue(id) }
      for size in [1, 5, 22, 23, 24] {
        try scene.expect(scene.all(pageSize: size).map(\.id.text), is: ids.reversed(), "pages of \(size)")
      }
      let whole = try scene.store.jobs(matching: JobFilter(), after: nil, limit: 100)
      scene.expect(whole.next == nil)
    },
    ContractCase("pages", "a cursor is plain and of use after a reopen") { scene in
      try scene.enqueue("a", "b", "c")
      let page = try scene.store.jobs(matching: JobFilter(), after: nil, limit: 2)
      let next = try scene.require(page.next)
      scene.expect(isPlainName(next, maximumLength: 256))
      try scene.reopen()
      let rest = try scene.store.jobs(matching: JobFilter(), after: next, limit: 2)
      scene.expect((page.jobs + rest.jobs).map(\.id.text), is: ["c", "b", "a"])
      scene.expect(rest.next == nil)
    },
    ContractCase("pages", "a cursor that no page gave is refused") { scene in
      try scene.enqueue("a")
      for cursor in ["", "nonsense", "-1", "1e3", " 5", "0x10", "99999999999999999999999"] {
        for reader in try scene.readers() {
          scene.expect(.badCursor, "'\(cursor)'") {
            try reader.jobs(matching: JobFilter(), after: cursor, limit: 10)
          }
          scene.expect(.badCursor, "'\(cursor)'") {
            try reader.count(matching: JobFilter(), after: cursor, limit: 10)
          }
          try scene.expect(reader.job(.named("a")) != nil)
        }
        for action in FilterAction.allCases {
          scene.expect(.badCursor, "'\(cursor)'") {
            try scene.store.perform(action, matching: JobFilter(), after: cursor, limit: 1, now: scene.now)
          }
        }
      }
      try scene.expect(scene.claimOne().id.text, is: "a")
    },
    ContractCase("pages", "a page ends where its bytes do") { scene in
      for (id, bytes) in [("a", 10), ("b", 1_000), ("c", 30), ("d", 40)] {
        try scene.turn { $0.enqueues = [NewJob(id: .named(id), instructions: Array(repeating: 0x20, count: bytes))] }
      }
      for reader in try scene.readers() {
        for (maximum, pages) in [
          (70, [["d", "c"], ["b"], ["a"]]), (1_069, [["d", "c"], ["b", "a"]]), (1_070, [["d", "c", "b"], ["a"]]),
          (0, [["d"], ["c"], ["b"], ["a"]]), (.max, [["d", "c", "b", "a"]]),
        ] {
          var found: [[String]] = []
          var cursor: String?
          repeat {
            let page = try reader.jobs(matching: JobFilter(), after: cursor, limit: 10, maximumBytes: maximum)
            found.append(page.jobs.map(\.id.text))
            cursor = page.next
          } while cursor != nil && found.count < 10
          scene.expect(found.filter { !$0.isEmpty }, is: pages, "\(maximum) bytes")
        }
      }
    },
    ContractCase("pages", "jobs that come and go meanwhile do not disturb") { scene in
      for number in 0..<6 { try scene.enqueue("j\(number)") }
      let page = try scene.store.jobs(matching: JobFilter(), after: nil, limit: 3)
      try scene.enqueue("new")
      for id in ["j3", "j2"] {
        _ = try scene.store.delete(matching: JobFilter(id: .named(id)), limit: 1, now: scene.now)
      }
      let rest = try scene.store.jobs(matching: JobFilter(), after: page.next, limit: 3)
      scene.expect(page.jobs.map(\.id.text), is: ["j5", "j4", "j3"])
      scene.expect(rest.jobs.map(\.id.text), is: ["j1", "j0"])
    },
    ContractCase("pages", "a filter by state finds that state") { scene in
      try scene.enqueueOneInEachState()
      for state in JobState.allCases {
        try scene.expect(scene.ids(JobFilter(states: [state])), is: [state.description])
      }
      try scene.expect(scene.ids(JobFilter(states: [.dead, .waiting, .running])), is: ["waiting", "running", "dead"])
      try scene.expect(scene.ids(JobFilter(states: [])).isEmpty)
    },
    ContractCase("pages", "a filter by phase finds what stands there") { scene in
      try scene.enqueue("waits", "runs", "dies", "ends", "stays")
      let jobs = try scene.claim(exactly: 5)
      for job in jobs[..<4] { try scene.complete(job, next: 1) }
      let next = try scene.claim(1, exactly: 4)
      try scene.turn { $0.settlements = [scene.release(next[0], 1)] }
      try scene.fail(next[2], .bury, phase: 1)
      try scene.complete(next[3], 1, next: 2)
      try scene.complete(try scene.claimOne(2), 2, next: nil)
      try scene.expect(scene.ids(JobFilter(phase: 0)), is: ["stays"])
      try scene.expect(scene.ids(JobFilter(phase: 1)), is: ["dies", "runs", "waits"])
      try scene.expect(scene.ids(JobFilter(phase: 2)), is: ["ends"])
      try scene.expect(scene.ids(JobFilter(states: [.waiting], phase: 1)), is: ["waits"])
      try scene.expect(scene.ids(JobFilter(states: [.running], phase: 1)), is: ["runs"])
      try scene.expect(scene.ids(JobFilter(phase: 7)).isEmpty)
    },
    ContractCase("pages", "filters by text are taken by the byte") { scene in
      for (id, message) in [("a%1", "100% of x_y"), ("a_2", "100 of x-y"), ("A_3", "ÄÖ")] {
        try scene.enqueue(id)
        try scene.fail(try scene.claimOne(), .bury, error: JobError(type: "E\(id)", message: message))
      }
      try scene.enqueue("a_4")
      try scene.expect(scene.ids(JobFilter(idPrefix: "a")), is: ["a_4", "a_2", "a%1"])
      try scene.expect(scene.ids(JobFilter(idPrefix: "a_")), is: ["a_4", "a_2"])
      try scene.expect(scene.ids(JobFilter(idPrefix: "a_22")).isEmpty)
      try scene.expect(scene.ids(JobFilter(errorContains: "%")), is: ["a%1"])
      try scene.expect(scene.ids(JobFilter(errorContains: "x_y")), is: ["a%1"])
      try scene.expect(scene.ids(JobFilter(errorContains: "Ö")), is: ["A_3"])
      try scene.expect(scene.ids(JobFilter(errorContains: "ö")).isEmpty)
      try scene.expect(scene.ids(JobFilter(errorContains: "EA_")), is: ["A_3"])
      try scene.expect(scene.ids(JobFilter(errorContains: "")).count, is: 4)
    },
    ContractCase("pages", "a filter by id needs the other conditions too") { scene in
      try scene.enqueueOneInEachState()
      try scene.expect(scene.ids(JobFilter(id: .named("dead"))), is: ["dead"])
      try scene.expect(
        scene.ids(JobFilter(id: .named("dead"), states: [.dead], phase: 0, idPrefix: "de")), is: ["dead"])
      try scene.expect(scene.ids(JobFilter(id: .named("dead"), states: [.waiting])).isEmpty)
      try scene.expect(scene.ids(JobFilter(id: .named("dead"), errorContains: "other")).isEmpty)
      try scene.expect(scene.ids(JobFilter(id: .named("nobody"))).isEmpty)
    },
  ]
}
