internal import JobStorage
internal import PipelineModel

extension JobStorageContract {
  static let enqueuing: [ContractCase] = [
    ContractCase("enqueuing", "a job is kept as it came") { scene in
      let new = NewJob(id: .named("a"), priority: 3, instructions: Array("{}".utf8))
      try scene.expect(scene.turn { $0.enqueues = [new] }.enqueues, is: [.stored])
      try scene.expect(
        scene.job("a"),
        is: JobRecord(
          id: new.id, state: .waiting, phase: 0, priority: 3, attempt: 0, failures: 0, crashes: 0,
          instructions: new.instructions, enqueuedAt: scene.now, updatedAt: scene.now))
    },
    ContractCase("enqueuing", "an unknown job is nil") { scene in
      try scene.expect(scene.store.job(.named("nobody")) == nil)
    },
    ContractCase("enqueuing", "a duplicate is told the state of the first") { scene in
      try scene.enqueueOneInEachState()
      let before = try scene.all()
      scene.now = scene.now + 1
      for state in JobState.allCases {
        try scene.expect(scene.enqueue(state.description, priority: 7), is: [.duplicate(state)])
      }
      try scene.expect(scene.all(), is: before)
      try scene.expectHonestCounts()
    },
    ContractCase("enqueuing", "the same id twice in one turn is one job") { scene in
      try scene.expect(scene.enqueue("a", "b", "a"), is: [.stored, .stored, .duplicate(.waiting)])
      try scene.expect(scene.ids(), is: ["b", "a"])
      try scene.expect(scene.claim().count, is: 2)
    },
    ContractCase("enqueuing", "an id is free again after its job is deleted") { scene in
      try scene.enqueue("a")
      try scene.expect(scene.store.delete(matching: JobFilter(id: .named("a")), limit: 1, now: scene.now), is: 1)
      try scene.expect(scene.enqueue("a"), is: [.stored])
      try scene.expect(scene.claim().map(\.id.text), is: ["a"])
    },
    ContractCase("enqueuing", "every printable id is kept") { scene in
      let ids =
        [#"a:b*c?[d]"e'f\g%h{i}"#, "{}", "-1", "0", "00", "$0", "%s", "NULL", "--x", "A", "a", "a/../b", "_", "#", ";"]
        + [
          String(repeating: "x", count: JobID.maximumLength),
          String((0x21...0x7e).map { Character(UnicodeScalar($0)) }),
        ]
      for id in ids { try scene.enqueue(id) }
      try scene.expect(scene.ids(), is: ids.reversed())
      let claimed = try scene.claim()
      scene.expect(claimed.map(\.id.text), is: ids)
      try scene.turn { $0.settlements = claimed.map { scene.completion($0, next: nil) } }
      for id in ids { try scene.expect(scene.job(id).state, is: .succeeded) }
    },
    ContractCase("enqueuing", "ids that differ in case are two jobs") { scene in
      try scene.expect(scene.enqueue("job", "JOB"), is: [.stored, .stored])
    },
    ContractCase("enqueuing", "instructions may be large and hold every byte") { scene in
      let large = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
      let every = [UInt8](0...255)
      try scene.turn {
        $0.enqueues = [
          NewJob(id: .named("large"), instructions: large), NewJob(id: .named("empty"), instructions: []),
          NewJob(id: .named("every"), instructions: every),
        ]
      }
      let claimed = try scene.claim(exactly: 3)
      scene.expect(claimed.map(\.instructions), is: [large, [], every])
      try scene.turn {
        $0.settlements = [
          scene.completion(claimed[0], next: 1), scene.completion(claimed[1], next: 1, instructions: large),
          scene.completion(claimed[2], next: 1, instructions: []),
        ]
      }
      try scene.expect(scene.claim(1).map(\.instructions), is: [large, large, []])
      try scene.expect(scene.job("large").instructions, is: large)
    },
    ContractCase("enqueuing", "an empty turn answers nothing") { scene in
      let result = try scene.turn { _ in }
      scene.expect(result.enqueues.isEmpty)
      scene.expect(result.claims.isEmpty)
      scene.expect(result.settlements.isEmpty)
      scene.expect(result.nextDue == nil)
      try scene.expect(scene.all().isEmpty)
      try scene.store.keepOwnership(now: scene.now)
    },
  ]
}
