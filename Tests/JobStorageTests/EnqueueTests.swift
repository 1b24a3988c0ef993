import JobStorage
import PipelineModel
import Testing

@Suite struct EnqueueTests {
  @Test(arguments: StoreUnderTest.all)
  func aJobIsKeptAsItCame(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let new = NewJob(id: .named("a"), priority: 3, instructions: Array("{}".utf8))
    #expect(try scene.turn { $0.enqueues = [new] }.enqueues == [.stored])
    #expect(
      try scene.job("a")
        == JobRecord(
          id: new.id, state: .waiting, phase: 0, priority: 3, attempt: 0, failures: 0, crashes: 0,
          instructions: new.instructions, enqueuedAt: scene.now, updatedAt: scene.now))
  }

  @Test(arguments: StoreUnderTest.all)
  func anUnknownJobIsNil(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    #expect(try scene.store.job(.named("nobody")) == nil)
  }

  @Test(arguments: StoreUnderTest.all)
  func aDuplicateIsToldTheStateOfTheFirst(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueueOneInEachState()
    let before = try scene.all()
    scene.now = scene.now + 1
    for state in JobState.allCases {
      #expect(try scene.enqueue(state.description, priority: 7) == [.duplicate(state)])
    }
    #expect(try scene.all() == before)
    try scene.expectHonestCounts()
  }

  @Test(arguments: StoreUnderTest.all)
  func theSameIdTwiceInOneTurnIsOneJob(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    #expect(try scene.enqueue("a", "b", "a") == [.stored, .stored, .duplicate(.waiting)])
    #expect(try scene.ids() == ["b", "a"])
    #expect(try scene.claim().count == 2)
  }

  @Test(arguments: StoreUnderTest.all)
  func anIdIsFreeAgainAfterItsJobIsDeleted(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    try scene.enqueue("a")
    #expect(try scene.store.delete(matching: JobFilter(id: .named("a")), limit: 1, now: scene.now) == 1)
    #expect(try scene.enqueue("a") == [.stored])
    #expect(try scene.claim().map(\.id.text) == ["a"])
  }

  @Test(arguments: StoreUnderTest.all)
  func everyPrintableIdIsKept(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let ids =
      [#"a:b*c?[d]"e'f\g%h{i}"#, "{}", "-1", "0", "00", "$0", "%s", "NULL", "--x", "A", "a", "a/../b", "_", "#", ";"]
      + [
        String(repeating: "x", count: JobID.maximumLength), String((0x21...0x7e).map { Character(UnicodeScalar($0)) }),
      ]
    for id in ids { try scene.enqueue(id) }
    #expect(try scene.ids() == ids.reversed())
    let claimed = try scene.claim()
    #expect(claimed.map(\.id.text) == ids)
    try scene.turn { $0.settlements = claimed.map { scene.completion($0, next: nil) } }
    for id in ids { #expect(try scene.job(id).state == .succeeded) }
  }

  @Test(arguments: StoreUnderTest.all)
  func idsThatDifferInCaseAreTwoJobs(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    #expect(try scene.enqueue("job", "JOB") == [.stored, .stored])
  }

  @Test(arguments: StoreUnderTest.all)
  func instructionsMayBeLargeAndHoldEveryByte(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let large = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    let every = [UInt8](0...255)
    try scene.turn {
      $0.enqueues = [
        NewJob(id: .named("large"), instructions: large), NewJob(id: .named("empty"), instructions: []),
        NewJob(id: .named("every"), instructions: every),
      ]
    }
    let claimed = try scene.claim()
    #expect(claimed.map(\.instructions) == [large, [], every])
    try scene.turn {
      $0.settlements = [
        scene.completion(claimed[0], next: 1), scene.completion(claimed[1], next: 1, instructions: large),
        scene.completion(claimed[2], next: 1, instructions: []),
      ]
    }
    #expect(try scene.claim(1).map(\.instructions) == [large, large, []])
    #expect(try scene.job("large").instructions == large)
  }

  @Test(arguments: StoreUnderTest.all)
  func anEmptyTurnAnswersNothing(_ kind: StoreUnderTest) throws {
    let scene = try Scene(kind)
    let result = try scene.turn { _ in }
    #expect(result.enqueues.isEmpty && result.claims.isEmpty && result.settlements.isEmpty && result.nextDue == nil)
    #expect(try scene.all().isEmpty)
    try scene.store.keepOwnership(now: scene.now)
  }
}
