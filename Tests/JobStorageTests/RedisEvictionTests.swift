import JobStorage
import PipelineModel
import Testing

@testable import JobStorageRedis

/// Redis evicts whole keys.
@Suite("Redis, keys that go missing", .timeLimit(.minutes(15)))
struct RedisEvictionTests {
  private let everyState = Dictionary(uniqueKeysWithValues: JobState.allCases.map { ($0.description, $0) })

  private func expectHonest(_ scene: RedisScene, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let states = try scene.states().values
    func number(_ state: JobState) -> Int { states.count { $0 == state } }
    let kept = try scene.store.counts()
    let phase = PhaseCounts(
      waiting: number(.waiting), delayed: number(.delayed), running: number(.running), dead: number(.dead))
    #expect(kept.phases == [phase], sourceLocation: sourceLocation)
    #expect(kept.succeeded == number(.succeeded), sourceLocation: sourceLocation)
    #expect(kept.cancelled == number(.cancelled), sourceLocation: sourceLocation)
  }

  @Test(arguments: ["all", "counts", "q:0", "delayed", "end", "dead", "s:5", "s:6", "meta", "error"])
  func `What can be made from the jobs is made again`(key: String) throws {
    let scene = try RedisScene()
    try scene.fillEachState()
    scene.store.close()
    try scene.victim.ask("DEL", scene.prefix + key)
    try scene.open()
    #expect(try scene.states() == everyState)
    try expectHonest(scene)
    #expect(try scene.claim().map(\.id.text) == ["waiting"])
    #expect(try scene.enqueue("more") == [.stored])
    #expect(try scene.store.requeue(matching: JobFilter(), limit: 9, now: scene.now) == [0: 1])
    let none = RetentionPolicy(maximumFinished: 0)
    #expect(try scene.store.prune(none, metricsBefore: 0, limit: 9, now: scene.now) == 2)
    try expectHonest(scene)
  }

  @Test(arguments: ["all", "counts", "q:0", "delayed", "end", "dead", "s:5", "s:6", "meta", "job", "in", "running"])
  func `Keys that go missing under a running store are noticed`(key: String) throws {
    let scene = try RedisScene()
    try scene.fillEachState()
    scene.store.note(looksAt: .now())
    try scene.store.keepOwnership(now: scene.now)
    try scene.victim.ask("DEL", scene.prefix + key)
    scene.store.note(looksAt: .now())
    let refusal = try scene.error { try scene.store.keepOwnership(now: scene.now) }
    #expect(refusal.kind == .unavailable && refusal.message.contains("has lost keys of this pipeline"), "\(refusal)")
    try scene.open()
    try expectHonest(scene)
    scene.store.note(looksAt: .now())
    try scene.turn { _ in }
  }

  /// Tokens and serials would begin anew.
  @Test func `Counters that go missing are noticed by the next write`() throws {
    let scene = try RedisScene()
    try scene.enqueue("a")
    let token = try #require(scene.claim().first).token
    try scene.victim.ask("DEL", scene.prefix + "meta")
    let refusal = try scene.error { _ = try scene.enqueue("b") }
    #expect(refusal.kind == .unavailable && refusal.message.contains("set back to an earlier state"), "\(refusal)")
    try scene.open()
    #expect(try scene.enqueue("b") == [.stored])
    #expect(try #require(scene.claim().first).token > token)
    try expectHonest(scene)
  }

  /// As after SWAPDB, or DEBUG RELOAD of an old snapshot: nothing is lost of what is there, but it is of another time.
  @Test func `A store that goes back in time is opened again, and gives no token twice`() throws {
    let scene = try RedisScene()
    try scene.enqueue("a", "b")
    let held = try #require(scene.claim(1).first)
    for key in ["meta", "counts", "job", "running", "in", "all", "q:0"] {
      try scene.victim.ask("COPY", scene.prefix + key, "old:" + key)
    }
    let later = try #require(scene.claim(1).first)
    for key in ["meta", "counts", "job", "running", "in", "all", "q:0"] {
      try scene.victim.ask("COPY", "old:" + key, scene.prefix + key, "REPLACE")
    }
    scene.store.note(looksAt: .now())
    #expect(try scene.error { try scene.store.keepOwnership(now: scene.now) }.kind == .unavailable)
    try scene.open()
    #expect(try scene.store.runningJobs().map(\.token) == [held.token])
    #expect(try #require(scene.claim(1).first).token > later.token)
    try expectHonest(scene)
  }

  @Test func `Jobs whose texts are gone are gone, but for those at work`() throws {
    let scene = try RedisScene()
    try scene.fillEachState()
    try scene.victim.ask("DEL", scene.prefix + "job")
    let refusal = try scene.error { _ = try scene.claim() }
    #expect(refusal.kind == .unavailable && refusal.message.contains("has lost parts of jobs, 1 of them"))
    try scene.open()
    #expect(try scene.states() == ["running": .running])
    try expectHonest(scene)
    #expect(try scene.enqueue("waiting") == [.stored])
    #expect(try scene.claim().map(\.id.text) == ["waiting"])
  }

  @Test func `Jobs whose instructions are gone are buried and say why`() throws {
    let scene = try RedisScene()
    try scene.fillEachState()
    try scene.victim.ask("DEL", scene.prefix + "in")
    #expect(try scene.error { _ = try scene.claim() }.kind == .unavailable)
    try scene.open()
    let states = try scene.states()
    #expect(states["waiting"] == .dead && states["delayed"] == .dead && states["succeeded"] == .succeeded)
    #expect(try scene.store.job(.named("waiting"))?.error?.message == "its instructions are gone from Redis")
    try expectHonest(scene)
    try scene.reopen()
    try expectHonest(scene)
  }

  @Test func `Jobs whose leases are gone wait again`() throws {
    let scene = try RedisScene()
    try scene.fillEachState()
    try scene.victim.ask("DEL", scene.prefix + "running")
    try scene.reopen()
    #expect(try scene.store.runningJobs().isEmpty)
    #expect(try Set(scene.claim().map(\.id.text)) == ["waiting", "running"])
    try expectHonest(scene)
  }

  @Test func `What came due and is gone does not stop the others`() throws {
    let scene = try RedisScene()
    try scene.enqueue("a", "b", notBefore: scene.now + 1)
    try scene.victim.ask("HDEL", scene.prefix + "job", "a")
    var turn = StoreTurn(now: scene.now + 10)
    turn.promotionLimit = 10
    #expect(try scene.error { _ = try scene.store.apply(turn) }.kind == .unavailable)
    try scene.open()
    #expect(try scene.states() == ["b": .waiting])
    try expectHonest(scene)
  }

  @Test(arguments: ["nonsense", "1 0 99999999999999999999 0 0 0 0 1800000000000 0 2 0 2 1800000000000"])
  func `One unreadable job hides no other`(text: String) throws {
    let scene = try RedisScene()
    try scene.enqueue("a", "b", "c")
    try scene.victim.ask("HSET", scene.prefix + "job", "b", text)
    #expect(try scene.states() == ["a": .waiting, "c": .waiting])
    #expect(try scene.error { _ = try scene.store.job(.named("b")) }.kind == .corrupt)
    #expect(try scene.store.job(.named("a"))?.state == .waiting)
    #expect(try scene.enqueue("b", "d").last == .stored)
    #expect(try scene.error { _ = try scene.claim() }.kind == .unavailable)
    try scene.open()
    #expect(try scene.claim().map(\.id.text) == ["a", "c", "d"])
    #expect(try scene.victim.ask("HGET", scene.prefix + "unreadable", "b") == text + "\n")
    try expectHonest(scene)
  }

  @Test(arguments: ["7", "9 w 1 1 0 99999999999999999999 0 0 0 0 1800000000000 0 2 0 1 1800000000000"])
  func `A lease that cannot be read holds no job for ever`(lease: String) throws {
    let scene = try RedisScene()
    try scene.enqueue("a", "b")
    _ = try scene.claim()
    try scene.victim.ask("HSET", scene.prefix + "running", "a", lease)
    try scene.reopen()
    #expect(try scene.store.runningJobs().map(\.id.text) == ["b"])
    #expect(try scene.claim().map(\.id.text) == ["a"])
    try expectHonest(scene)
    scene.store.close()
    try scene.open()
    #expect(try scene.store.runningJobs().count == 2)
  }
}
