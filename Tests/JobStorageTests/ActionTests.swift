import JobStorage
import PipelineModel
import Testing

/// Actions on all jobs that match, a bounded step at a time.
@Suite struct ActionTests {
  @Test(arguments: StoreUnderTest.all)
  func aStepLooksAtNoMoreThanItsLimitAndTheNextGoesOn(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for number in 0..<10 { try scene.enqueue("j\(number)", priority: number % 3) }
    let steps = try scene.perform(.cancel, JobFilter(idPrefix: "j"), limit: 4)
    #expect(steps.count >= 3 && steps.allSatisfy { $0.next.map { isPlainName($0, maximumLength: 256) } ?? true })
    #expect(steps.flatMap(\.cancelled).map(\.text) == (0..<10).map { "j\($0)" })
    #expect(steps.reduce(0) { $0 + $1.changed } == 10 && steps.reduce(0) { $0 + $1.examined } == 10)
    #expect(try scene.store.counts().cancelled == 10)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all, FilterAction.allCases)
  func jobsThatCameLaterAreLeftAlone(_ kind: StoreUnderTest, _ action: FilterAction) throws {
    let scene = try Scene(kind)
    for number in 0..<4 { try bury(scene, "old-\(number)") }
    for number in 4..<8 { try scene.enqueue("old-\(number)", notBefore: scene.now + 1_000) }
    let filter = JobFilter(states: [.dead, .delayed])
    let first = try scene.store.perform(action, matching: filter, after: nil, limit: 3, now: scene.now)
    let next = try #require(first.next)
    try bury(scene, "new-dead")
    try scene.enqueue("new-delayed", notBefore: scene.now + 1_000)
    var cursor: String? = next
    while let after = cursor {
      cursor = try scene.store.perform(action, matching: filter, after: after, limit: 3, now: scene.now).next
    }
    #expect(try scene.job("new-dead").state == .dead && scene.job("new-delayed").state == .delayed)
    let untouched = try scene.all(filter).map(\.id.text).filter { $0.hasPrefix("old") }
    #expect(untouched == (action == .cancel ? ["old-3", "old-2", "old-1", "old-0"] : []))
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func cancellingTellsWhichLeasesItBroke(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b", "c")
    try scene.enqueue("d", notBefore: scene.now + 5)
    let held = try scene.claim(limit: 2)
    let leases = try scene.store.runningJobs()
    let steps = try scene.perform(.cancel)
    #expect(
      steps.flatMap(\.broken).sorted { $0.token < $1.token } == leases && leases.map(\.token) == held.map(\.token))
    #expect(steps.flatMap(\.cancelled).map(\.text) == ["a", "b", "c", "d"])
    #expect(try scene.complete(held[0], next: 1) == [.stale])
    #expect(try scene.job("b").attempts.map(\.outcome) == [.cancelled] && scene.job("c").attempts.isEmpty)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func anActionOnOneJobIsOneStep(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    for (action, id, changed) in [
      (FilterAction.requeue, "delayed", 1), (.requeue, "cancelled", 1), (.requeue, "succeeded", 0),
      (.cancel, "running", 1),
      (.cancel, "dead", 0), (.delete, "dead", 1), (.delete, "nobody", 0), (.requeue, "nobody", 0),
    ] {
      let steps = try scene.perform(action, JobFilter(id: .named(id)))
      #expect(steps.count == 1 && steps[0].changed == changed, "\(action) \(id)")
    }
    #expect(try scene.ids() == ["delayed", "waiting", "running", "cancelled", "succeeded"])
    try scene.expectHonestCounts()
  }

  /// Each job changes at a time of its own: the running one by its claim, which some stores keep apart from the job.
  @Test(arguments: StoreUnderTest.all)
  func whatHasChangedWithinATimeIsMeantAlone(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let begin = scene.now
    try scene.enqueue("a", "b", "c")
    for (index, verdict) in [RetryPolicy.Verdict.bury, .bury].enumerated() {
      scene.now = begin + Int64(10 * (index + 1))
      try scene.fail(try #require(try scene.claim(limit: 1).first), verdict)
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
        #expect(page.jobs.map(\.id.text) == ids)
        #expect(try reader.count(matching: filter(first, last), after: nil, limit: 9).count == ids.count)
      }
    }
    scene.now = begin + 100
    #expect(try scene.perform(.requeue, filter(11, 99)).reduce(0) { $0 + $1.changed } == 1)
    #expect(try scene.job("a").state == .dead && scene.job("b").state == .waiting)
    #expect(try scene.perform(.delete, filter(100, 100)).reduce(0) { $0 + $1.changed } == 1)
    #expect(try scene.perform(.cancel, filter(0, 30)).flatMap(\.cancelled).map(\.text) == ["c"])
    #expect(try scene.ids() == ["d", "c", "a"])
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func aRequeueInStepsKeepsItsOrder(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for id in ["c1", "d1", "c2", "d2", "c3", "d3"] {
      if id.hasPrefix("d") { try bury(scene, id) } else { try scene.enqueue(id) }
      if id.hasPrefix("c") { _ = try scene.store.cancel(.named(id), now: scene.now) }
    }
    let steps = try scene.perform(.requeue, JobFilter(states: [.dead, .cancelled]), limit: 2)
    #expect(steps.reduce(0) { $0 + ($1.requeued[0] ?? 0) } == 6)
    #expect(try scene.claim().map(\.id.text) == ["d1", "d2", "d3", "c1", "c2", "c3"])
    try scene.expectHonestCounts()
  }

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
}
