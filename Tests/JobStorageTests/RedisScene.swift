import Foundation
import JobStorage
import JobStorageRedis
import PipelineModel
import Testing

/// A redis-server of one's own with a pipeline of one phase in it.
final class RedisScene {
  let victim: RedisVictim
  let store: RedisJobStore
  let pipeline: PipelineDefinition
  let now = Timestamp(milliseconds: 1_800_000_000_000)
  let prefix = "carbontube:{bed}:"

  init(_ arguments: [String] = []) throws {
    victim = try RedisVictim(arguments)
    store = try RedisJobStore(uri: "redis+unix://\(victim.socket)")
    pipeline = try PipelineDefinition(name: "bed", phases: [PhaseDefinition(jobType: "cut")])
    try open()
  }

  func open() throws { try store.open(pipeline, owner: "first", now: now) }

  func reopen() throws {
    store.close()
    try open()
  }

  func another() throws -> RedisJobStore { try RedisJobStore(uri: "redis+unix://\(victim.socket)") }

  @discardableResult
  func turn(_ fill: (inout StoreTurn) -> Void) throws -> StoreTurnResult {
    var turn = StoreTurn(now: now)
    fill(&turn)
    return try store.apply(turn)
  }

  @discardableResult
  func enqueue(_ ids: String..., bytes: Int = 2, notBefore: Timestamp? = nil) throws -> [EnqueueOutcome] {
    try turn { turn in
      turn.enqueues = ids.map {
        NewJob(id: .named($0), notBefore: notBefore, instructions: Array(repeating: 0x20, count: bytes))
      }
    }.enqueues
  }

  func claim(_ limit: Int = 1_000) throws -> [ClaimedJob] {
    let claims = try turn {
      $0.claims = [Claim(phase: 0, worker: .named("w"), limit: limit)]
    }.claims
    return try #require(claims.first)
  }

  func attempt(_ job: ClaimedJob, _ outcome: AttemptOutcome) -> AttemptRecord {
    AttemptRecord(
      phase: 0, number: job.attempt, worker: .named("w"), plugin: "0123456789ab", startedAt: now, endedAt: now + 5,
      outcome: outcome)
  }

  func complete(_ jobs: [ClaimedJob]) throws {
    try turn { turn in
      turn.settlements = jobs.map { $0.succeeded(attempt($0, .succeeded)) }
    }
  }

  func fail(_ job: ClaimedJob, _ verdict: RetryPolicy.Verdict) throws {
    let error = JobError(type: "Broken", message: "it broke")
    try turn {
      $0.settlements = [
        Settlement(
          job: job.id, token: job.token, from: 0, counters: job.counters, attempt: attempt(job, .failed),
          effect: Effect(verdict, on: error))
      ]
    }
  }

  /// One job in each state, named after it.
  func fillEachState() throws {
    for state in [JobState.succeeded, .dead, .cancelled, .running] {
      try enqueue(state.description)
      let job = try #require(try claim().first)
      switch state {
      case .succeeded: try complete([job])
      case .dead: try fail(job, .bury)
      case .cancelled: _ = try store.cancel(job.id, now: now)
      default: break
      }
    }
    try enqueue("waiting")
    try enqueue("delayed", notBefore: now + 1_000)
  }

  func states() throws -> [String: JobState] {
    let page = try store.jobs(matching: JobFilter(), after: nil, limit: 1_000)
    return Dictionary(uniqueKeysWithValues: page.jobs.map { ($0.id.text, $0.state) })
  }

  func error(_ body: () throws -> Void) throws -> StoreError {
    try #require(#expect(throws: StoreError.self) { try body() })
  }
}
