import JobStorage
import JobStorageRedis
import PipelineModel
import Testing

@Suite("Redis, what it refuses", .timeLimit(.minutes(15)))
struct RedisRefusalTests {
  @Test func `A password that is set under a running store is waited for`() throws {
    let scene = try RedisScene()
    try scene.victim.ask("CONFIG", "SET", "requirepass", "sesame")
    try scene.victim.ask("-a", "sesame", "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
    #expect(try scene.error { _ = try scene.enqueue("a") }.kind == .unavailable)
    let refusal = try scene.error { try scene.open() }
    #expect(refusal.kind == .unavailable && refusal.message.contains("wants a password"), "\(refusal)")
    try scene.victim.ask("-a", "sesame", "CONFIG", "SET", "requirepass", "")
    try scene.open()
    #expect(try scene.enqueue("a") == [.stored])
  }

  @Test func `A command that is forbidden is named, at first for good, later for a while`() throws {
    let scene = try RedisScene()
    try scene.victim.ask("ACL", "SETUSER", "default", "-evalsha")
    let refusal = try scene.error { _ = try scene.enqueue("a") }
    #expect(refusal.kind == .unavailable && refusal.message.contains("+@all on ~carbontube:*"), "\(refusal)")
    let second = try scene.another()
    #expect(try scene.error { try second.open(scene.pipeline, owner: "x", now: scene.now) }.kind == .misconfigured)
    try scene.victim.ask("ACL", "SETUSER", "default", "+evalsha")
    try scene.open()
    #expect(try scene.enqueue("a") == [.stored])
  }

  @Test func `A node of a cluster is named as such`() throws {
    let victim = try RedisVictim(["--cluster-enabled", "yes"])
    let store = try RedisJobStore(uri: "redis+unix://\(victim.socket)")
    let pipeline = try PipelineDefinition(name: "bed", phases: [PhaseDefinition(jobType: "cut")])
    let refusal = #expect(throws: StoreError.self) {
      try store.open(pipeline, owner: "first", now: Timestamp(milliseconds: 1))
    }
    #expect(refusal?.kind == .misconfigured)
    #expect(refusal?.message.contains("is a node of a Redis Cluster, which is not supported yet") == true)
  }

  @Test func `Deleting and pruning make room in a full memory`() throws {
    let scene = try RedisScene()
    try scene.enqueue("a", "b", "c")
    try scene.complete([try #require(try scene.claim(1).first)])
    try scene.victim.ask("CONFIG", "SET", "maxmemory", "1")
    let refusal = try scene.error { _ = try scene.enqueue("d") }
    #expect(refusal.kind == .refusesWrites && refusal.message.contains("raise maxmemory or delete jobs"))
    try scene.open()
    #expect(try scene.store.delete(matching: JobFilter(id: .named("b")), limit: 1, now: scene.now) == 1)
    #expect(
      try scene.store.prune(RetentionPolicy(maximumFinished: 0), metricsBefore: 0, limit: 9, now: scene.now) == 1)
    #expect(try scene.store.cancel(.named("c"), now: scene.now)?.was == .waiting)
    try scene.reopen()
    #expect(try scene.states() == ["c": .cancelled])
    #expect(try scene.store.counts() == StoreCounts(phases: [PhaseCounts()], cancelled: 1))
  }

  @Test func `Advice names a policy that evicts and what a crash would lose`() throws {
    let careful = try RedisScene(["--appendonly", "yes"])
    #expect(careful.store.advice == [])
    let careless = try RedisScene(["--maxmemory-policy", "allkeys-lru"])
    #expect(careless.store.advice.count == 2)
    #expect(careless.store.advice[0].contains("maxmemory-policy allkeys-lru"))
    #expect(careless.store.advice[1].contains("appendonly"))
    try careless.victim.ask("ACL", "SETUSER", "default", "-info")
    try careless.reopen()
    #expect(careless.store.advice == [])
  }

  @Test(arguments: ["2", "3", "5"])
  func `Another schema is refused and left alone`(schema: String) throws {
    let scene = try RedisScene()
    scene.store.close()
    try scene.victim.ask("HSET", scene.prefix + "meta", "schema", schema)
    let refusal = try scene.error { try scene.open() }
    #expect(refusal.kind == (schema == "5" ? .newerSchema : .misconfigured))
    #expect(refusal.message.contains("schema \(schema)"))
    #expect(try scene.victim.ask("HGET", scene.prefix + "meta", "schema") == "\(schema)\n")
  }
}
