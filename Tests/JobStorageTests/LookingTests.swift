import JobStorage
import PipelineModel
import Testing

/// What everybody who may look is shown: the store itself, and its readers.
@Suite struct LookingTests {
  @Test(arguments: StoreUnderTest.all)
  func aReaderSeesWhatTheStoreDoes(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let readers = try scene.readers()
    for step in 0..<2 {
      try scene.turn { $0.metrics = [PhaseMetrics(minute: 7, phase: 0)] }
      if step == 0 { try scene.enqueueOneInEachState() } else { _ = try scene.perform(.requeue) }
      let expected = try scene.all()
      for reader in readers {
        #expect(try reader.jobs(matching: JobFilter(), after: nil, limit: 100).jobs == expected)
        #expect(try expected.map { try reader.job($0.id) } == expected)
        #expect(try reader.counts() == scene.store.counts())
        #expect(try reader.metrics(minutes: 0...9) == scene.store.metrics(minutes: 0...9))
      }
    }
    for reader in readers.dropFirst() { reader.close() }
  }

  @Test(arguments: StoreUnderTest.all)
  func aRunningJobIsShownWithItsWorker(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let readers = try scene.readers()
    try scene.enqueue("a", "b")
    scene.now = scene.now + 40
    _ = try scene.claim(limit: 1, worker: "w7")
    for reader in readers {
      let job = try #require(try reader.job(.named("a")))
      #expect(job.state == .running && job.worker == .named("w7") && job.attempt == 1 && job.updatedAt == scene.now)
      #expect(try reader.jobs(matching: JobFilter(states: [.running]), after: nil, limit: 9).jobs == [job])
      #expect(try reader.count(matching: JobFilter(states: [.waiting]), after: nil, limit: 9).count == 1)
      #expect(try reader.states(of: [.named("a"), .named("b")]) == [.running, .waiting])
      #expect(try reader.counts().phases[0] == PhaseCounts(waiting: 1, running: 1))
    }
  }

  @Test(arguments: StoreUnderTest.all)
  func statesComeInTheOrderOfTheIds(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    let names = ["dead", "nobody", "waiting", "dead", "running", "succeeded", "cancelled", "delayed"]
    for reader in try scene.readers() {
      let states = try reader.states(of: names.map { .named($0) })
      #expect(states.map { $0?.description ?? "nobody" } == names)
      #expect(try reader.states(of: []).isEmpty)
      #expect(try reader.states(of: (0..<1_000).map { .named("x\($0)") }).allSatisfy { $0 == nil })
    }
  }

  @Test(arguments: StoreUnderTest.all)
  func countingGoesOnWhereItEnded(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
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
          var cursor: String?
          repeat {
            let step = try reader.count(matching: filter, after: cursor, limit: limit)
            #expect(step.examined <= limit && step.count <= step.examined)
            found += step.count
            cursor = step.next
          } while cursor != nil
          #expect(found == expected, "\(filter) by \(limit)")
        }
      }
    }
  }

  @Test(arguments: StoreUnderTest.all)
  func deadBytesAreThoseOfTheInstructions(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for (id, bytes) in [("a", 100), ("b", 2_000)] {
      try scene.turn { $0.enqueues = [NewJob(id: .named(id), instructions: Array(repeating: 0x20, count: bytes))] }
      try scene.fail(try scene.claimOne(), .bury)
    }
    #expect(try scene.store.counts().deadBytes == 2_100)
    try scene.reopen()
    #expect(try scene.store.counts().deadBytes == 2_100)
    _ = try scene.perform(.requeue, JobFilter(id: .named("b")))
    #expect(try scene.store.counts().deadBytes == 100)
    _ = try scene.perform(.delete, JobFilter(states: [.dead]))
    #expect(try scene.store.counts().deadBytes == 0)
  }
}
