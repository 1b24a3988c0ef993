import JobStorage
import JobStorageRedis
import PipelineModel
import Testing

/// Jobs as schema 1 kept them: a hash each.
@Suite("Redis, schema 1", .timeLimit(.minutes(2)))
struct RedisSchemaTests {
  private let victim: RedisVictim
  private let store: RedisJobStore
  private let pipeline: PipelineDefinition
  private let now = Timestamp(milliseconds: 1_800_000_000_000)
  private let prefix = "carbontube:{old}:"
  private let error = JobError(type: "Broken", message: "it broke: ä\n1 2")

  init() throws {
    victim = try RedisVictim()
    store = try RedisJobStore(uri: "redis+unix://\(victim.socket)")
    pipeline = try PipelineDefinition(
      name: "old", phases: [PhaseDefinition(jobType: "cut"), PhaseDefinition(jobType: "glue")])
  }

  private func open() throws { try store.open(pipeline, owner: "owner", now: now + 100) }

  private func hash(_ key: String, _ fields: String) throws {
    try victim.ask(["HSET", prefix + key] + fields.split(separator: " ").map { $0 == "''" ? "" : String($0) })
  }

  private func add(_ key: String, score: String, _ member: String) throws {
    try victim.ask(["ZADD", prefix + key, score, member])
  }

  private func failedAttempt(_ number: Int, phase: Int = 0) -> String {
    "\(phase) \(number) worker-1 0123456789ab \(now.milliseconds + Int64(number)) 5 \(AttemptOutcome.failed.rawValue)"
  }

  /// - Parameter fields: those in which jobs differ.
  private func job(_ id: String, serial: Int, _ fields: String, attempts: ClosedRange<Int>? = nil) throws {
    let time = now.milliseconds
    try hash("j:\(id)", "n \(serial) p 2 i {\"of\":\"\(id)\"} e \(time) u \(time + 7) q \(time + 7) \(fields)")
    try add("all", score: "\(serial)", id)
    guard let attempts else { return }
    try hash("j:\(id)", "hn \(attempts.upperBound)")
    for number in attempts { try victim.ask(["HSET", prefix + "j:\(id)", "h\(number)", failedAttempt(number)]) }
    let text = "6:Broken\(error.message.utf8.count):\(error.message)0:0:"
    try victim.ask(["HSET", prefix + "j:\(id)", "x", text])
  }

  private func writeUnfinished() throws {
    try hash("meta", "schema 1 token 1843200000000001 serial 6 back 1 finish 3")
    try victim.ask(["HSET", prefix + "meta", "phases", "cut#0 glue#0"])
    try job("waiting", serial: 1, "s 1 k 0 a 0 f 0 c 0 d ''")
    try add("q:0", score: "-562949953421311", "waiting")
    try job("delayed", serial: 2, "s 2 k 0 a 1 f 1 c 0 d \(now.milliseconds + 1_000)", attempts: 1...1)
    try add("delayed", score: "\(now.milliseconds + 1_000)", "0000000000000002:delayed")
    try job("running", serial: 3, "s 1 k 0 a 1 f 1 c 0 d ''", attempts: 1...1)
    try victim.ask([
      "HSET", prefix + "running", "running",
      "1843200000000001 0 worker-1 2 1 0 \(now.milliseconds + 30_000) \(now.milliseconds + 8) 2 3 1",
    ])
    try hash("counts", "w:0 1 d:0 1 r:0 1")
  }

  private func writeFinished() throws {
    try job("dead", serial: 4, "s 5 k 1 a 102 f 102 c 0 d ''", attempts: 3...102)
    try job("succeeded", serial: 5, "s 4 k 1 a 1 f 0 c 0")
    try job("cancelled", serial: 6, "s 6 k 0 a 0 f 0 c 0 d ''")
    for (place, id) in ["dead", "succeeded", "cancelled"].enumerated() { try add("end", score: "\(place + 1)", id) }
    try add("s:5", score: "4", "dead")
    try add("s:6", score: "6", "cancelled")
    try hash("counts", "x:1 1 succeeded 1 cancelled 1 bytes 47")
  }

  private func expected(
    _ id: String, _ state: JobState, phase: Int = 0, attempt: Int, failures: Int, attempts: ClosedRange<Int>? = nil
  ) -> JobRecord {
    var job = JobRecord(
      id: .named(id), state: state, phase: phase, priority: 2, attempt: attempt, failures: failures, crashes: 0,
      instructions: Array("{\"of\":\"\(id)\"}".utf8), enqueuedAt: now, updatedAt: now + 7,
      error: attempts == nil ? nil : error)
    job.attempts = (attempts.map(Array.init) ?? []).map { number in
      AttemptRecord(
        phase: 0, number: number, worker: .named("worker-1"), plugin: "0123456789ab", startedAt: now + Int64(number),
        endedAt: now + Int64(number) + 5, outcome: .failed)
    }
    return job
  }

  private func expectAll() throws {
    var delayed = expected("delayed", .delayed, attempt: 1, failures: 1, attempts: 1...1)
    delayed.dueAt = now + 1_000
    var running = expected("running", .running, attempt: 2, failures: 1, attempts: 1...1)
    running.worker = .named("worker-1")
    running.updatedAt = now + 8
    let jobs = try store.jobs(matching: JobFilter(), after: nil, limit: 100).jobs
    #expect(
      jobs == [
        expected("cancelled", .cancelled, attempt: 0, failures: 0),
        expected("succeeded", .succeeded, phase: 1, attempt: 1, failures: 0),
        expected("dead", .dead, phase: 1, attempt: 102, failures: 102, attempts: 3...102), running, delayed,
        expected("waiting", .waiting, attempt: 0, failures: 0),
      ])
    #expect(try victim.ask("HGET", prefix + "meta", "schema") == "2\n")
    #expect(try victim.ask("KEYS", prefix + "j:*") == "\n")
    let counts = try store.counts()
    #expect(counts.phases == [PhaseCounts(waiting: 1, delayed: 1, running: 1), PhaseCounts(dead: 1)])
    #expect(counts.succeeded == 1 && counts.cancelled == 1)
  }

  @Test func `Jobs in each state are read as they were, and run on`() throws {
    try writeUnfinished()
    try writeFinished()
    try open()
    try expectAll()
    let lease = try #require(try store.runningJobs().first)
    #expect(lease.leaseUntil == now + 30_000 && lease.attempt == 2 && lease.failures == 1)
    #expect(try store.requeue(matching: JobFilter(), limit: 9, now: now + 200) == [1: 1])
    #expect(try store.delete(matching: JobFilter(states: [.cancelled]), limit: 9, now: now + 200) == 1)
    var turn = StoreTurn(now: now + 2_000)
    let attempt = AttemptRecord(
      phase: 0, number: 2, worker: .named("worker-1"), plugin: "", startedAt: now, endedAt: now + 1, outcome: .succeeded
    )
    turn.completions = [
      Completion(job: lease.id, token: lease.token, instructions: nil, nextPhase: 1, attempt: attempt)
    ]
    turn.promotionLimit = 9
    turn.claims = [0, 1].map { Claim(phase: $0, worker: .named("w"), limit: 9, leaseUntil: now + 9_000) }
    let result = try store.apply(turn)
    #expect(result.completions == [.recorded])
    #expect(result.claims.map { $0.map(\.id.text) } == [["waiting", "delayed"], ["dead", "running"]])
    #expect(result.claims[0][1].failures == 1 && result.claims[1][0].attempt == 1)
    #expect(try #require(try store.job(lease.id)).attempts.map(\.outcome) == [.failed, .succeeded])
  }

  @Test func `A move that was cut off is done to its end`() throws {
    try writeUnfinished()
    try open()
    store.close()
    try hash("meta", "schema 1")
    try writeFinished()
    try open()
    try expectAll()
    store.close()
    try hash("meta", "schema 1")
    try open()
    try expectAll()
  }
}
