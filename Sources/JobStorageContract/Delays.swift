internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let delays: [ContractCase] = [
    ContractCase("delays", "a job waits for its time") { scene in
      let due = scene.now + 500
      try scene.enqueue("a", notBefore: due)
      try scene.expect(scene.job("a").state, is: .delayed)
      try scene.expect(scene.job("a").dueAt, is: due)
      try scene.expect(promote(scene), is: [:])
      try scene.expect(scene.claim().isEmpty)
      scene.now = due
      try scene.expect(promote(scene), is: [0: 1])
      let job = try scene.claimOne()
      scene.expect(job.queuedAt, is: due)
      scene.expect(job.attempt, is: 1)
      try scene.expect(scene.job("a").dueAt == nil)
      try scene.expectHonestCounts()
    },
    ContractCase("delays", "a time that has passed is now") { scene in
      try scene.enqueue("past", notBefore: scene.now + -1)
      try scene.enqueue("now", notBefore: scene.now)
      try scene.expect(scene.job("past").dueAt == nil)
      try scene.expect(scene.claim().map(\.id.text), is: ["past", "now"])
    },
    ContractCase("delays", "due jobs come by time then as enqueued") { scene in
      try scene.enqueue("third", notBefore: scene.now + 20)
      for number in 0..<12 { try scene.enqueue("second-\(number)", notBefore: scene.now + 10) }
      try scene.enqueue("first", notBefore: scene.now + 5)
      scene.now = scene.now + 20
      try scene.expect(promote(scene), is: [0: 14])
      let order = ["first"] + (0..<12).map { "second-\($0)" } + ["third"]
      try scene.expect(scene.claim().map(\.id.text), is: order)
    },
    ContractCase("delays", "promotion keeps priorities") { scene in
      try scene.enqueue("low", priority: -1, notBefore: scene.now + 1)
      try scene.enqueue("high", priority: 1, notBefore: scene.now + 2)
      try scene.enqueue("waiting")
      scene.now = scene.now + 2
      try promote(scene)
      try scene.expect(scene.claim().map(\.id.text), is: ["high", "waiting", "low"])
    },
    ContractCase("delays", "promotion is limited and tells what is next") { scene in
      try scene.expect(scene.turn { $0.promotionLimit = 10 }.nextDue == nil)
      for number in 1...5 { try scene.enqueue("j\(number)", notBefore: scene.now + Int64(number)) }
      let start = scene.now
      scene.now = start + 4
      let result = try scene.turn { $0.promotionLimit = 3 }
      scene.expect(result.promoted, is: [0: 3])
      scene.expect(result.nextDue, is: start + 4)
      let rest = try scene.turn { $0.promotionLimit = 3 }
      scene.expect(rest.promoted, is: [0: 1])
      scene.expect(rest.nextDue, is: start + 5)
      let silent = try scene.turn { $0.claims = [scene.claimOf(0)] }
      scene.expect(silent.nextDue == nil)
      scene.expect(silent.promoted.isEmpty)
      scene.expect(silent.claims[0].count, is: 4)
    },
    ContractCase("delays", "a turn claims what it promotes") { scene in
      try scene.enqueue("a", notBefore: scene.now + 1)
      try scene.enqueue("b", notBefore: scene.now + 2)
      scene.now = scene.now + 1
      let result = try scene.turn {
        $0.promotionLimit = 10
        $0.claims = [scene.claimOf(0)]
      }
      scene.expect(result.promoted, is: [0: 1])
      scene.expect(result.claims[0].map(\.id.text), is: ["a"])
    },
    ContractCase("delays", "a retry comes back into its phase with its counters") { scene in
      try scene.enqueue("a", "b")
      for job in try scene.claim() { try scene.complete(job, next: 1) }
      let jobs = try scene.claim(1, exactly: 2)
      try scene.fail(jobs[0], .retry(at: scene.now + 100), phase: 1)
      try scene.fail(jobs[1], .retry(at: scene.now + 50), phase: 1, outcome: .crashed)
      scene.now = scene.now + 100
      try scene.expect(promote(scene), is: [1: 2])
      let again = try scene.claim(1)
      scene.expect(again.map(\.id.text), is: ["b", "a"])
      scene.expect(again.map(\.attempt), is: [2, 2])
      scene.expect(again.map(\.failures), is: [0, 1])
      scene.expect(again.map(\.crashes), is: [1, 0])
      try scene.expectHonestCounts()
    },
    ContractCase("delays", "a wall clock that was set neither hastens nor holds up") { scene in
      let steady = scene.now
      let hour: Int64 = 3_600_000
      try scene.enqueue("failing")
      let failing = try scene.claimOne()
      for step in [hour, -hour] {
        scene.now = steady + step
        try scene.turn {
          $0.promotionTime = steady
          $0.enqueues = [
            NewJob(id: .named("later-\(step > 0)"), notBefore: steady + 50, instructions: Array("{}".utf8)),
            NewJob(id: .named("due-\(step > 0)"), notBefore: steady, instructions: Array("{}".utf8)),
          ]
          if step > 0 { $0.settlements = [scene.failure(failing, .retry(at: steady + 50))] }
        }
      }
      try scene.expect(scene.job("later-true").state, is: .delayed)
      try scene.expect(scene.job("later-false").state, is: .delayed)
      try scene.expect(scene.job("due-true").state, is: .waiting)
      try scene.expect(scene.job("due-false").state, is: .waiting)
      try scene.expect(scene.job("failing").state, is: .delayed)
      try scene.expectHonestCounts()
    },
    ContractCase("delays", "the timeline of due times is kept") { scene in
      try scene.expect(scene.store.timelineOffset(), is: 0)
      for offset: Int64 in [3_600_000, -longestDurationMilliseconds, 0, -1] {
        try scene.store.setTimelineOffset(offset)
        try scene.reopen()
        try scene.expect(scene.store.timelineOffset(), is: offset)
      }
    },
  ]
}

@discardableResult
private func promote(_ scene: Scene) throws -> [Int: Int] {
  try scene.turn { $0.promotionLimit = 1_000 }.promoted
}
