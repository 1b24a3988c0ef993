import JobStorage
import PipelineModel
import Testing

@Suite struct ClaimTests {
  @Test(arguments: StoreUnderTest.all)
  func jobsAreClaimedInTheOrderTheyCame(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("c", "a", "b")
    try scene.enqueue("0")
    #expect(try scene.claim().map(\.id.text) == ["c", "a", "b", "0"])
  }

  @Test(arguments: StoreUnderTest.all)
  func higherPrioritiesGoFirst(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for priority in [0, -8, 7, -1, 1] {
      try scene.enqueue("p\(priority)", priority: priority)
      try scene.enqueue("q\(priority)", priority: priority)
    }
    let order = [7, 1, 0, -1, -8].flatMap { ["p\($0)", "q\($0)"] }
    #expect(try scene.claim(limit: 3).map(\.id.text) == Array(order.prefix(3)))
    #expect(try scene.claim().map(\.id.text) == Array(order.dropFirst(3)))
  }

  @Test(arguments: StoreUnderTest.all)
  func priorityHoldsInLaterPhases(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("low", priority: -2)
    try scene.enqueue("high", priority: 2)
    let claimed = try scene.claim()
    for job in claimed.reversed() { try scene.complete(job, next: 1) }
    #expect(try scene.claim(1).map(\.id.text) == ["high", "low"])
  }

  @Test(arguments: StoreUnderTest.all)
  func aClaimTellsWhatAWorkerNeeds(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    let queuedAt = scene.now
    scene.now = scene.now + 250
    let job = try scene.claimOne()
    #expect(
      job
        == ClaimedJob(
          id: .named("a"), token: job.token, attempt: 1, failures: 0, crashes: 0,
          instructions: Array(#"{"of":"a"}"#.utf8), queuedAt: queuedAt))
    let record = try scene.job("a")
    #expect(record.state == .running && record.attempt == 1 && record.worker == .named("worker-1"))
    #expect(record.enqueuedAt == queuedAt && record.updatedAt == scene.now)
  }

  @Test(arguments: StoreUnderTest.all)
  func noJobIsGivenOutTwice(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    for number in 0..<20 { try scene.enqueue("j\(number)") }
    let claims = try scene.turn {
      $0.claims = ["w1", "w2", "w3"].map { scene.claimOf(0, limit: 8, worker: $0) }
    }.claims
    #expect(claims.map(\.count) == [8, 8, 4])
    #expect(claims.flatMap { $0 }.map(\.id.text) == (0..<20).map { "j\($0)" })
    #expect(try scene.claim().isEmpty)
    #expect(try scene.job("j8").worker == .named("w2"))
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func aPhaseGivesOutItsOwnJobsOnly(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a", "b")
    try scene.complete(try scene.claim(limit: 1)[0], next: 1)
    let claims = try scene.turn { $0.claims = [2, 1, 0].map { scene.claimOf($0) } }.claims
    #expect(claims.map { $0.map(\.id.text) } == [[], ["a"], ["b"]])
  }

  @Test(arguments: StoreUnderTest.all)
  func aClaimOfNothingGetsNothing(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    #expect(try scene.claim(limit: 0).isEmpty)
    #expect(try scene.job("a").state == .waiting)
  }

  @Test(arguments: StoreUnderTest.all)
  func aTurnClaimsWhatItEnqueues(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let result = try scene.turn {
      $0.enqueues = [NewJob(id: .named("a"), instructions: [])]
      $0.claims = [scene.claimOf(0)]
    }
    #expect(result.claims.first?.map(\.id.text) == ["a"])
  }
}
