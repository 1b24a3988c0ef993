import JobStorage
import PipelineModel
import Testing

@testable import JobStorageRedis

/// What stands in Redis may have been written by anybody: it is read, refused or left out, and never ends the process.
@Suite("Redis, texts of strangers", .timeLimit(.minutes(15)))
struct RedisTamperTests {
  private static let job = "1 0 2 1 1 0 1 1800000000000 0 17 -3 42 1790000000000"
  private static let attempt = "0 1 worker-1 0123456789ab 1800000000000 5 2"
  private static let error = "6:Broken8:it broke0:0:"
  /// Numbers at the ends of what types hold.
  private static let ends = [
    "9223372036854775807", "-9223372036854775808", "18446744073709551615", "9223372036854775808", "1e308", "nan", "-1",
    "inf", "9007199254740993", "", "-", "0x10", "99999999999999999999999999",
  ]

  private func read(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    let keys = PhaseKeys()
    if let job = RedisJob(text: text) {
      _ = job.record(JobID.named("a"), instructions: [], error: nil, lease: nil, keys: keys)
    }
    if let lease = RedisLease(text: text) { _ = lease.runningJob(JobID.named("a"), keys: keys) }
    _ = AttemptText.attempt(in: text[...])
    _ = AttemptText.error(in: bytes)
    _ = Score(text)?.whole
    var reader = DecimalReader(bytes)
    while reader.next() != nil {}
    var counts = DecimalReader(bytes)
    while let count = counts.nextCount() { #expect(count >= 0) }
    var metrics = PhaseMetrics(minute: 0, phase: 0)
    for field in ["enqueued", "wait:sum", "wait:3", "latency:99", "dead:", text] {
      for _ in 0..<3 { MetricsFields.add(Int64(text) ?? .max, field: field[...], to: &metrics) }
    }
    _ = metrics.wait.percentile(0.5)
  }

  @Test func `Mutated texts never trap`() throws {
    var generator = Seeded(state: 20_261)
    let lease = "1843200000000001 worker-1 1800000030000 1800000000000 \(Self.job)"
    let seeds = [Self.job, "\(Self.job)\n\(Self.attempt)\n\(Self.attempt)", lease, Self.attempt, Self.error, "12:34"]
    for round in 0..<30_000 {
      var bytes = Array(seeds[round % seeds.count].utf8)
      for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
        let place = Int.random(in: bytes.indices, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(contentsOf: bytes[..<place], at: place)
        default: bytes.insert(UInt8(ascii: "9"), at: place)
        }
      }
      read(bytes)
    }
  }

  @Test func `Numbers at the ends of what types hold never trap`() {
    let lease = "1843200000000001 worker-1 1800000030000 1800000000000 \(Self.job)"
    for seed in [Self.job, Self.attempt, lease] {
      let words = seed.split(separator: " ").map(String.init)
      for place in words.indices {
        for end in Self.ends {
          var changed = words
          changed[place] = end
          read(Array(changed.joined(separator: " ").utf8))
        }
      }
    }
    for end in Self.ends {
      read(Array(end.utf8))
      read(Array("\(end):x".utf8))
    }
  }

  @Test func `A due time at the end of all time is kept, promoted never, and stops no start`() throws {
    let scene = try RedisScene()
    for (id, due) in [("max", Int64.max), ("next", .max - 1), ("beyond", 1 << 60)] {
      try scene.enqueue(id, notBefore: Timestamp(milliseconds: due))
    }
    var turn = StoreTurn(now: scene.now)
    turn.promotionLimit = 10
    let result = try scene.store.apply(turn)
    #expect(result.promoted.isEmpty && result.nextDue == Timestamp(milliseconds: 1 << 60))
    try scene.reopen()
    #expect(try scene.store.job(.named("max"))?.dueAt == Timestamp(milliseconds: .max))
    #expect(try scene.store.delete(matching: JobFilter(id: .named("beyond")), limit: 1, now: scene.now) == 1)
    let next = try scene.store.apply(turn).nextDue
    #expect(try #require(next).milliseconds > 1 << 62)
    turn.promotionTime = Timestamp(milliseconds: .max)
    #expect(try scene.store.apply(turn).promoted == [0: 2])
    try scene.victim.ask("ZADD", scene.prefix + "delayed", "-inf", "0000000000000009:ghost")
    #expect(try scene.error { _ = try scene.store.apply(turn) }.kind == .unavailable)
    try scene.open()
    #expect(try scene.claim().map(\.id.text) == ["next", "max"] || scene.store.counts().phases[0].running == 2)
  }

  @Test func `Fields of strangers in counts, leases and metrics are survived`() throws {
    let scene = try RedisScene()
    try scene.enqueue("a")
    _ = try scene.claim()
    for end in Self.ends where !end.isEmpty {
      try scene.victim.ask("HSET", scene.prefix + "counts", "w:0", end, "succeeded", end, "x:7", end, "bytes", end)
      try scene.victim.ask("HSET", scene.prefix + "running", "stranger", end, "not an id", end)
      try scene.victim.ask("HSET", scene.prefix + "m:5", "0:enqueued", end, "0:wait:sum", end, "x", end)
      try scene.victim.ask("ZADD", scene.prefix + "minutes", "5", "5")
      _ = try scene.store.counts()
      _ = try scene.store.metrics(minutes: 0...10)
      try scene.reopen()
      #expect(try scene.store.runningJobs().map(\.id.text) == ["a"])
      #expect(try scene.store.counts().phases == [PhaseCounts(running: 1)])
    }
  }

  @Test func `Counters that cannot be are refused in words`() throws {
    let scene = try RedisScene()
    scene.store.close()
    try scene.victim.ask("HSET", scene.prefix + "meta", "serial", "9223372036854775807")
    let refusal = try scene.error { try scene.open() }
    #expect(refusal.kind == .corrupt && refusal.message.contains("the field serial of carbontube:{bed}:meta"))
  }

  @Test func `A clock of the far future leaves tokens that Lua can count`() throws {
    let scene = try RedisScene()
    scene.store.close()
    try scene.store.open(scene.pipeline, owner: "first", now: Timestamp(milliseconds: .max))
    try scene.enqueue("a", "b")
    let jobs = try scene.claim()
    #expect(jobs.count == 2 && jobs[1].token.number == jobs[0].token.number + 1)
    try scene.complete(jobs)
    #expect(try scene.store.counts().succeeded == 2)
  }
}

/// A generator that gives the same numbers in each run (Steele, Lea, Flood: SplitMix, 2014).
private struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
