import Foundation
import JobStorage
import JobStorageRedis
import PipelineModel
import Testing

@Suite("Redis, ownership", .timeLimit(.minutes(15)))
struct RedisOwnershipTests {
  private let scene: RedisScene

  init() throws { scene = try RedisScene() }

  @Test func `Ownership that merely lapsed is taken again by the next write`() throws {
    try scene.victim.ask("DEL", scene.prefix + "owner")
    #expect(try scene.enqueue("a") == [.stored])
    #expect(try scene.victim.ask("GET", scene.prefix + "owner") == "first\n")
    try scene.victim.ask("DEL", scene.prefix + "owner")
    try scene.store.keepOwnership(now: scene.now)
    #expect(try scene.victim.ask("GET", scene.prefix + "owner") == "first\n")
  }

  @Test func `Ownership that another had in between is not taken again`() throws {
    try scene.victim.ask("DEL", scene.prefix + "owner")
    let second = try scene.another()
    try second.open(scene.pipeline, owner: "second", now: scene.now)
    let refusal = try scene.error { _ = try scene.enqueue("a") }
    #expect(refusal.kind == .ownedByAnother && refusal.message.contains("second"))
    second.close()
    try scene.open()
    try scene.victim.ask("HSET", scene.prefix + "meta", "owner", "second")
    try scene.victim.ask("DEL", scene.prefix + "owner")
    #expect(try scene.error { _ = try scene.enqueue("a") }.kind == .unavailable)
    #expect(try scene.victim.ask("EXISTS", scene.prefix + "owner") == "0\n")
  }

  @Test func `A server that was emptied goes on after it is opened again`() throws {
    try scene.enqueue("a")
    try scene.victim.ask("FLUSHALL")
    let refusal = try scene.error { _ = try scene.enqueue("b") }
    #expect(refusal.kind == .unavailable && refusal.message.contains("was emptied"))
    try scene.open()
    #expect(try scene.enqueue("b") == [.stored])
    #expect(try scene.states() == ["b": .waiting])
    #expect(try scene.claim().map(\.id.text) == ["b"])
  }

  @Test func `A dead owner's key lapses also where the server's clock was set back`() throws {
    try scene.victim.ask("PEXPIRE", scene.prefix + "owner", "3600000")
    let second = try scene.another()
    let refusal = try scene.error { try second.open(scene.pipeline, owner: "second", now: scene.now) }
    #expect(refusal.kind == .ownedByAnother)
    let left = try #require(Int(scene.victim.ask("PTTL", scene.prefix + "owner").dropLast()))
    #expect(left <= 1_500)
  }

  @Test func `A reader neither needs nor renews ownership, and outlives its store`() throws {
    try scene.enqueue("a")
    let reader = try #require(try scene.store.makeReader())
    try scene.victim.ask("SET", scene.prefix + "owner", "second", "PX", "600000")
    #expect(try reader.counts().phases[0].waiting == 1)
    #expect(try scene.victim.ask("GET", scene.prefix + "owner") == "second\n")
    scene.store.close()
    #expect(try reader.job(.named("a"))?.state == .waiting)
    try scene.victim.ask("CLIENT", "KILL", "TYPE", "normal")
    #expect(try scene.error { _ = try reader.counts() }.kind == .unavailable)
    #expect(try reader.states(of: [.named("b"), .named("a")]) == [nil, .waiting])
    reader.close()
    #expect(try reader.count(matching: JobFilter(), after: nil, limit: 10).count == 1)
  }

  @Test func `A reader's broken connection does not disturb the store`() throws {
    let reader = try #require(try scene.store.makeReader())
    try scene.victim.ask("SET", "carbontube:{bed}:job", "mine")
    #expect(try scene.error { _ = try reader.job(.named("a")) }.kind == .corrupt)
    try scene.victim.ask("DEL", "carbontube:{bed}:job")
    #expect(try reader.job(.named("a")) == nil)
    #expect(try scene.enqueue("a") == [.stored])
  }

  @Test func `Connections that fail leave no descriptor behind`() throws {
    func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
    let server = try RedisVictim(["--requirepass", "sesame"])
    let store = try RedisJobStore(uri: "redis+unix://\(server.socket)")
    let before = try descriptors()
    for _ in 0..<200 { _ = try scene.error { try store.open(scene.pipeline, owner: "first", now: scene.now) } }
    // Other tests of this process open and close some meanwhile.
    #expect(try descriptors() < before + 150)
  }
}
