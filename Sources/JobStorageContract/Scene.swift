internal import JobStorage
internal import PipelineModel

/// A store that is open on a pipeline of its own, a clock that only the case moves, and the record of what does not hold.
final class Scene {
  let store: any JobStore
  let record: ContractRecord
  let pipelineName = "t-\(UInt64.random(in: 0 ... .max))"
  var now = Timestamp(milliseconds: 1_800_000_000_000)

  init(_ makeStore: JobStorageContract.StoreMaker, _ record: ContractRecord) throws {
    store = try makeStore()
    self.record = record
    try open()
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
    return try require(claims.first)
  }

  func claimOf(_ phase: Int, limit: Int = 1_000, worker: String = "worker-1") -> Claim {
    Claim(phase: phase, worker: .named(worker), limit: limit)
  }

  /// All jobs that are waiting there; ends the case where they are more or fewer. No case takes a job by its place in what
  /// a store gave without asking how many there are: a wrong store fails, and does not end the process.
  func claim(
    _ phase: Int = 0, exactly count: Int, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line
  ) throws -> [ClaimedJob] {
    let jobs = try claim(phase)
    guard jobs.count == count else {
      throw ContractFailure(
        message: "found \(jobs.count) jobs to claim in phase \(phase), wanted \(count)",
        place: ContractPlace(fileID: fileID, filePath: filePath, line: line))
    }
    return jobs
  }

  /// The one job that is waiting there.
  func claimOne(
    _ phase: Int = 0, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line
  ) throws -> ClaimedJob {
    try claim(phase, exactly: 1, fileID: fileID, filePath: filePath, line: line)[0]
  }

  func attempt(_ job: ClaimedJob, _ phase: Int, _ outcome: AttemptOutcome) -> AttemptRecord {
    AttemptRecord(
      phase: phase, number: job.attempt, worker: .named("worker-1"), plugin: "0123456789ab", startedAt: now,
      endedAt: now + 5, outcome: outcome)
  }

  private func settle(
    _ job: ClaimedJob, _ phase: Int, _ attempt: AttemptRecord?, _ effect: Effect
  ) throws -> [WriteOutcome] {
    let settlement = Settlement(
      job: job.id, token: job.token, from: phase, counters: job.counters, attempt: attempt, effect: effect)
    return try turn { $0.settlements = [settlement] }.settlements
  }

  @discardableResult
  func complete(
    _ job: ClaimedJob, _ phase: Int = 0, next: Int?, instructions: [UInt8]? = nil
  ) throws -> [WriteOutcome] {
    let effect: Effect =
      next.map { .advance(to: $0, instructions: instructions) } ?? .succeed(instructions: instructions)
    return try settle(job, phase, attempt(job, phase, .succeeded), effect)
  }

  @discardableResult
  func fail(
    _ job: ClaimedJob, _ verdict: RetryPolicy.Verdict, phase: Int = 0, outcome: AttemptOutcome = .failed,
    error: JobError = JobError(type: "Broken", message: "it broke")
  ) throws -> [WriteOutcome] {
    try settle(job, phase, attempt(job, phase, outcome), Effect(verdict, on: error))
  }

  @discardableResult
  func release(
    _ job: ClaimedJob, _ phase: Int = 0, counted: Bool = true, losses: Int? = nil
  ) throws -> [WriteOutcome] {
    try settle(job, phase, counted ? attempt(job, phase, .lost) : nil, .toFront(losses: losses))
  }

  /// Everybody who can be asked about the jobs: the store, and a reader of it where it has any.
  func readers() throws -> [any JobReader] { try [store as any JobReader] + [store.makeReader()].compactMap(\.self) }

  /// Takes an action to its end, `limit` jobs a step.
  func perform(_ action: FilterAction, _ filter: JobFilter = JobFilter(), limit: Int = 1_000) throws -> [ActionStep] {
    var steps: [ActionStep] = []
    repeat {
      let step = try store.perform(action, matching: filter, after: steps.last?.next, limit: limit, now: now)
      expect(step.examined <= limit && step.changed <= step.examined, "\(step)")
      steps.append(step)
    } while steps.last?.next != nil && steps.count < 1_000
    return steps
  }

  func job(_ id: String) throws -> JobRecord { try require(store.job(.named(id))) }

  /// Every job that matches, page by page.
  func all(_ filter: JobFilter = JobFilter(), pageSize: Int = 100) throws -> [JobRecord] {
    var jobs: [JobRecord] = []
    var cursor: String?
    repeat {
      let page = try store.jobs(matching: filter, after: cursor, limit: pageSize)
      expect(page.jobs.count <= pageSize)
      jobs += page.jobs
      cursor = page.next
    } while cursor != nil
    return jobs
  }

  func ids(_ filter: JobFilter = JobFilter()) throws -> [String] { try all(filter).map(\.id.text) }

  /// The counts that the store keeps must be those one finds by looking at every job.
  func expectHonestCounts(fileID: String = #fileID, filePath: String = #filePath, line: Int = #line) throws {
    let kept = try store.counts()
    var found = StoreCounts(phases: Array(repeating: PhaseCounts(), count: kept.phases.count))
    for job in try all() {
      _ = try require(
        found.phases.indices.contains(job.phase) ? job : nil, fileID: fileID, filePath: filePath, line: line)
      switch job.state {
      case .waiting: found.phases[job.phase].waiting += 1
      case .delayed: found.phases[job.phase].delayed += 1
      case .running: found.phases[job.phase].running += 1
      case .dead:
        found.phases[job.phase].dead += 1
        found.deadBytes += job.instructions.count
      case .succeeded: found.succeeded += 1
      case .cancelled: found.cancelled += 1
      }
    }
    expect(
      kept, is: found, "kept, and found by looking at each job", fileID: fileID, filePath: filePath, line: line)
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
