import Foundation
import JobStorage
import JobStorageRedis
import PipelineModel
import Testing

@Suite("Redis alone", .timeLimit(.minutes(15)))
struct RedisFaultTests {
  private let pipeline: PipelineDefinition
  private let now = Timestamp(milliseconds: 1_800_000_000_000)

  init() throws {
    pipeline = try PipelineDefinition(name: "faults", phases: [PhaseDefinition(jobType: "cut")])
  }

  private func store(_ victim: RedisVictim, _ options: String = "", user: String = "") throws -> RedisJobStore {
    try RedisJobStore(uri: "redis+unix://\(user)\(victim.socket)\(options)")
  }

  private func enqueue(_ store: RedisJobStore, _ id: String, bytes: Int = 2) throws -> [EnqueueOutcome] {
    var turn = StoreTurn(now: now)
    turn.enqueues = [NewJob(id: .named(id), instructions: Array(repeating: 0x20, count: bytes))]
    return try store.apply(turn).enqueues
  }

  private func error(_ body: () throws -> Void) throws -> StoreError {
    try #require(#expect(throws: StoreError.self) { try body() })
  }

  @Test func `Another owner is refused while the first lives, and told who it is`() throws {
    let victim = try RedisVictim()
    let (first, second) = (try store(victim), try store(victim))
    try first.open(pipeline, owner: "first", now: now)
    let refusal = try error { try second.open(pipeline, owner: "second", now: now) }
    #expect(refusal.kind == .ownedByAnother && refusal.message.contains("first"))
    #expect(try enqueue(first, "a") == [.stored])
    first.close()
    try second.open(pipeline, owner: "second", now: now)
    #expect(try second.counts().phases[0].waiting == 1)
  }

  @Test func `Who lost ownership can write nothing`() throws {
    let victim = try RedisVictim()
    let store = try store(victim)
    try store.open(pipeline, owner: "first", now: now)
    try victim.ask("SET", "carbontube:{faults}:owner", "second")
    #expect(try error { _ = try enqueue(store, "a") }.kind == .ownedByAnother)
    try victim.ask("DEL", "carbontube:{faults}:owner")
    try store.open(pipeline, owner: "first", now: now)
    #expect(try store.job(.named("a")) == nil)
  }

  @Test func `Scripts that the server forgot are loaded again`() throws {
    let victim = try RedisVictim()
    let store = try store(victim)
    try store.open(pipeline, owner: "first", now: now)
    try victim.ask("SCRIPT", "FLUSH")
    #expect(try enqueue(store, "a") == [.stored])
    try victim.ask("SCRIPT", "FLUSH")
    #expect(try store.cancel(.named("a"), now: now)?.was == .waiting)
  }

  @Test func `Passwords are checked and never shown`() throws {
    let victim = try RedisVictim(["--requirepass", "sesame"])
    try store(victim, user: ":sesame@").open(pipeline, owner: "first", now: now)
    for (user, kind) in [
      (":opens@", StoreError.Kind.misconfigured), ("", .misconfigured), ("ali:opens@", .misconfigured),
    ] {
      let store = try store(victim, user: user)
      let refusal = try error { try store.open(pipeline, owner: "first", now: now) }
      #expect(refusal.kind == kind, "\(refusal)")
      #expect(!refusal.message.contains("opens") && !store.address.contains("opens"))
    }
  }

  @Test func `Databases keep apart, and one that does not exist is refused`() throws {
    let victim = try RedisVictim()
    let (first, second) = (try store(victim, "?db=1"), try store(victim, "?db=2"))
    try first.open(pipeline, owner: "first", now: now)
    try second.open(pipeline, owner: "second", now: now)
    _ = try enqueue(first, "a")
    #expect(try second.job(.named("a")) == nil)
    let third = try store(victim, "?db=99")
    #expect(try error { try third.open(pipeline, owner: "third", now: now) }.kind == .misconfigured)
  }

  @Test(arguments: [
    "redis://", "redis://[]:6379", "redis://host:0", "redis://host:99999", "redis://host/x", "redis+unix://",
    "redis://host/0?x=1",
    "redis:",
  ])
  func `Addresses that are none are refused`(uri: String) throws {
    let refusal = try error { _ = try RedisJobStore(uri: uri) }
    #expect(refusal.kind == .misconfigured && refusal.message.contains("redis://[user[:password]@]host"))
  }

  @Test func `A full memory refuses writes, and work resumes when there is room`() throws {
    let victim = try RedisVictim()
    let store = try store(victim)
    try store.open(pipeline, owner: "first", now: now)
    #expect(try enqueue(store, "a") == [.stored])
    try victim.ask("CONFIG", "SET", "maxmemory", "1")
    let refusal = try error { _ = try enqueue(store, "b") }
    #expect(refusal.kind == .refusesWrites && refusal.message.contains("maxmemory"), "\(refusal)")
    try victim.ask("CONFIG", "SET", "maxmemory", "0")
    try store.open(pipeline, owner: "first", now: now)
    #expect(try store.job(.named("b")) == nil)
    #expect(try enqueue(store, "b") == [.stored])
    #expect(try store.counts().phases[0].waiting == 2)
  }

  @Test func `A replica refuses writes until it is promoted`() throws {
    let victim = try RedisVictim()
    let store = try store(victim)
    try store.open(pipeline, owner: "first", now: now)
    try victim.ask("REPLICAOF", "127.0.0.1", "1")
    let refusal = try error { _ = try enqueue(store, "a") }
    #expect(refusal.isTransient, "\(refusal)")
    try victim.ask("REPLICAOF", "NO", "ONE")
    try store.open(pipeline, owner: "first", now: now)
    #expect(try enqueue(store, "a") == [.stored])
  }

  @Test func `kill -9 and restart: unavailable, then all that was acknowledged is there`() throws {
    let victim = try RedisVictim(["--appendonly", "yes", "--appendfsync", "always"])
    let store = try store(victim)
    try store.open(pipeline, owner: "first", now: now)
    #expect(try enqueue(store, "a") == [.stored])
    victim.kill9()
    #expect(try error { _ = try enqueue(store, "b") }.kind == .unavailable)
    #expect(try error { try store.open(pipeline, owner: "first", now: now) }.kind == .unavailable)
    let again = try victim.restart()
    defer { kill(again.processIdentifier, SIGKILL) }
    try store.open(pipeline, owner: "first", now: now)
    #expect(try store.job(.named("a"))?.state == .waiting)
    #expect(try enqueue(store, "b") == [.stored])
  }

  @Test func `A server that does not answer is given up in bounded time`() throws {
    let victim = try RedisVictim()
    let store = try store(victim)
    try store.open(pipeline, owner: "first", now: now)
    kill(victim.processID, SIGSTOP)
    let start = ContinuousClock.now
    #expect(try error { _ = try enqueue(store, "a") }.kind == .unavailable)
    // Not a speed test: five seconds are promised, thirty would be another bug.
    #expect(ContinuousClock.now - start < .seconds(30))
    kill(victim.processID, SIGCONT)
  }

  @Test func `Another program's keys and a later version's schema are left alone`() throws {
    let victim = try RedisVictim()
    try victim.ask("HSET", "carbontube:{faults}:meta", "schema", "5")
    let store = try store(victim)
    let refusal = try error { try store.open(pipeline, owner: "first", now: now) }
    #expect(refusal.kind == .newerSchema && refusal.message.contains("schema 5"))
    #expect(try victim.ask("HGETALL", "carbontube:{faults}:meta") == "schema\n5\n")
    #expect(try victim.ask("EXISTS", "carbontube:{faults}:owner") == "0\n")
    try victim.ask("DEL", "carbontube:{faults}:meta")
    try victim.ask("SET", "carbontube:{faults}:meta", "mine")
    #expect(try error { try store.open(pipeline, owner: "first", now: now) }.kind == .corrupt)
  }
}
