import JobStorage
import PipelineModel
import Testing

/// A store that is open on a pipeline of its own, and a clock that only the test moves.
final class Scene {
  let store: any JobStore
  let pipelineName = "t-\(UInt64.random(in: 0 ... .max))"
  var now = Timestamp(milliseconds: 1_800_000_000_000)

  init(_ kind: StoreUnderTest, phases: [String] = ["cut", "glue", "paint"]) throws {
    store = try kind.make()
    try open(phases)
  }

  deinit { store.close() }

  func open(_ phases: [String] = ["cut", "glue", "paint"]) throws {
    let definition = try PipelineDefinition(name: pipelineName, phases: phases.map { PhaseDefinition(jobType: $0) })
    try store.open(definition, owner: "owner", now: now)
  }

  func reopen() throws {
    store.close()
    try open()
  }

  /// A turn at the present time.
  @discardableResult
  func turn(_ fill: (inout StoreTurn) throws -> Void) throws -> StoreTurnResult {
    var turn = StoreTurn(now: now)
    try fill(&turn)
    return try store.apply(turn)
  }

  @discardableResult
  func enqueue(_ ids: String..., priority: Int = 0, notBefore: Timestamp? = nil) throws -> [EnqueueOutcome] {
    try turn {
      $0.enqueues = ids.map {
        NewJob(id: .named($0), priority: priority, notBefore: notBefore, instructions: Array("{\"of\":\"\($0)\"}".utf8))
      }
    }.enqueues
  }

  func claim(_ phase: Int = 0, limit: Int = 1_000, worker: String = "worker-1") throws -> [ClaimedJob] {
    let claims = try turn { $0.claims = [claimOf(phase, limit: limit, worker: worker)] }.claims
    return try #require(claims.first)
  }

  func claimOf(_ phase: Int, limit: Int = 1_000, worker: String = "worker-1") -> Claim {
    Claim(phase: phase, worker: .named(worker), limit: limit)
  }

  /// The one job that is waiting there.
  func claimOne(_ phase: Int = 0) throws -> ClaimedJob {
    let jobs = try claim(phase)
    try #require(jobs.count == 1)
    return jobs[0]
  }

  func attempt(_ job: ClaimedJob, _ phase: Int, _ outcome: AttemptOutcome) -> AttemptRecord {
    AttemptRecord(
      phase: phase, number: job.attempt, worker: .named("worker-1"), plugin: "0123456789ab", startedAt: now,
      endedAt: now + 5, outcome: outcome)
  }

  func completion(
    _ job: ClaimedJob, _ phase: Int = 0, next: Int?, instructions: [UInt8]? = nil
  ) -> Settlement {
    Settlement(
      job: job.id, token: job.token, from: phase, counters: job.counters, attempt: attempt(job, phase, .succeeded),
      effect: next.map { .advance(to: $0, instructions: instructions) } ?? .succeed(instructions: instructions))
  }

  @discardableResult
  func complete(_ job: ClaimedJob, _ phase: Int = 0, next: Int?) throws -> [WriteOutcome] {
    try turn { $0.settlements = [completion(job, phase, next: next)] }.settlements
  }

  func failure(
    _ job: ClaimedJob, _ verdict: RetryPolicy.Verdict, phase: Int = 0, outcome: AttemptOutcome = .failed,
    error: JobError = JobError(type: "Broken", message: "it broke")
  ) -> Settlement {
    Settlement(
      job: job.id, token: job.token, from: phase, counters: job.counters, attempt: attempt(job, phase, outcome),
      effect: Effect(verdict, on: error))
  }

  @discardableResult
  func fail(
    _ job: ClaimedJob, _ verdict: RetryPolicy.Verdict, phase: Int = 0, outcome: AttemptOutcome = .failed,
    error: JobError = JobError(type: "Broken", message: "it broke")
  ) throws -> [WriteOutcome] {
    try turn { $0.settlements = [failure(job, verdict, phase: phase, outcome: outcome, error: error)] }.settlements
  }

  func release(_ job: ClaimedJob, _ phase: Int = 0, counted: Bool = true, losses: Int? = nil) -> Settlement {
    Settlement(
      job: job.id, token: job.token, from: phase, counters: job.counters,
      attempt: counted ? attempt(job, phase, .lost) : nil, effect: .toFront(losses: losses))
  }

  /// Everybody who can be asked about the jobs: the store, and a reader of it where it has any.
  func readers() throws -> [any JobReader] { try [store as any JobReader] + [store.makeReader()].compactMap(\.self) }

  /// Takes an action to its end, `limit` jobs a step.
  func perform(_ action: FilterAction, _ filter: JobFilter = JobFilter(), limit: Int = 1_000) throws -> [ActionStep] {
    var steps: [ActionStep] = []
    repeat {
      let step = try store.perform(action, matching: filter, after: steps.last?.next, limit: limit, now: now)
      #expect(step.examined <= limit && step.changed <= step.examined)
      steps.append(step)
    } while steps.last?.next != nil && steps.count < 1_000
    return steps
  }

  func job(_ id: String) throws -> JobRecord { try #require(try store.job(.named(id))) }

  /// Every job that matches, page by page.
  func all(_ filter: JobFilter = JobFilter(), pageSize: Int = 100) throws -> [JobRecord] {
    var jobs: [JobRecord] = []
    var cursor: String?
    repeat {
      let page = try store.jobs(matching: filter, after: cursor, limit: pageSize)
      #expect(page.jobs.count <= pageSize)
      jobs += page.jobs
      cursor = page.next
    } while cursor != nil
    return jobs
  }

  func ids(_ filter: JobFilter = JobFilter()) throws -> [String] { try all(filter).map(\.id.text) }

  /// The counts that the store keeps must be those one finds by looking at every job.
  func expectHonestCounts(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let kept = try store.counts()
    let found = StoreCounts(of: try all(), phases: kept.phases.count)
    #expect(kept == found, sourceLocation: sourceLocation)
  }

  /// Puts one job into each state, named after it; all in the first phase.
  func enqueueOneInEachState() throws {
    for state in [JobState.succeeded, .dead, .cancelled, .running] {
      try enqueue(state.description)
      let job = try claimOne()
      switch state {
      case .succeeded: try complete(job, next: nil)
      case .dead: try fail(job, .bury)
      case .cancelled: _ = try store.cancel(job.id, now: now)
      default: break
      }
    }
    try enqueue("waiting")
    try enqueue("delayed", notBefore: now + 1_000)
  }
}

extension StoreCounts {
  /// As one finds them by looking at every job.
  init(of jobs: [JobRecord], phases: Int) {
    self.init(phases: Array(repeating: PhaseCounts(), count: phases))
    for job in jobs {
      switch job.state {
      case .waiting: self.phases[job.phase].waiting += 1
      case .delayed: self.phases[job.phase].delayed += 1
      case .running: self.phases[job.phase].running += 1
      case .dead:
        self.phases[job.phase].dead += 1
        deadBytes += job.instructions.count
      case .succeeded: succeeded += 1
      case .cancelled: cancelled += 1
      }
    }
  }
}

extension RunningJob {
  /// Back to the front of its queue, not counted.
  var givenBack: Settlement {
    Settlement(
      job: id, token: token, from: phase, counters: counters, attempt: nil, effect: .toFront(losses: nil))
  }
}

extension ClaimedJob {
  /// As `RunningJob.givenBack`.
  func givenBack(from phase: Int = 0) -> Settlement {
    Settlement(
      job: id, token: token, from: phase, counters: counters, attempt: nil, effect: .toFront(losses: nil))
  }

  func succeeded(from phase: Int = 0, _ attempt: AttemptRecord) -> Settlement {
    Settlement(
      job: id, token: token, from: phase, counters: counters, attempt: attempt, effect: .succeed(instructions: nil))
  }
}

extension JobID {
  static func named(_ text: String) -> JobID {
    guard let id = JobID(text) else { preconditionFailure("not an id: \(text)") }
    return id
  }
}

extension WorkerID {
  static func named(_ text: String) -> WorkerID {
    guard let id = WorkerID(text) else { preconditionFailure("not a worker: \(text)") }
    return id
  }
}
