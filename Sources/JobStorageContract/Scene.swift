package import JobStorage
package import PipelineModel

/// A store that is open on a pipeline of its own, a clock that only the case moves, and the record of what does not hold.
package final class Scene {
  package let store: any JobStore
  let record: ContractRecord
  let pipelineName = "t-\(UInt64.random(in: 0 ... .max))"
  package var now = Timestamp(milliseconds: 1_800_000_000_000)

  /// What did not hold.
  package var failures: [ContractFailure] { record.failures }

  /// For tests that do with the store what no case does.
  package convenience init(
    _ makeStore: JobStorageContract.StoreMaker, fileID: String = #fileID, filePath: String = #filePath,
    line: Int = #line
  ) throws {
    try self.init(makeStore, ContractRecord(ContractPlace(fileID: fileID, filePath: filePath, line: line)))
  }

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

  package func reopen() throws {
    store.close()
    try open()
  }

  /// A turn at the present time; ends the case where the store answers for more or for less than was asked.
  @discardableResult
  func turn(_ fill: (inout StoreTurn) throws -> Void) throws -> StoreTurnResult {
    var turn = StoreTurn(now: now)
    try fill(&turn)
    let result = try store.apply(turn)
    let found = [result.settlements.count, result.enqueues.count, result.claims.count]
    let wanted = [turn.settlements.count, turn.enqueues.count, turn.claims.count]
    guard found == wanted else {
      throw ContractFailure(
        message: "found \(found) answers to settlements, enqueues and claims, wanted \(wanted)", place: record.lastPlace
      )
    }
    return result
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

  /// As many of those that are waiting there; ends the case where they are fewer.
  func claim(
    _ phase: Int = 0, first count: Int, worker: String = "worker-1", fileID: String = #fileID,
    filePath: String = #filePath, line: Int = #line
  ) throws -> [ClaimedJob] {
    let jobs = try claim(phase, limit: count, worker: worker)
    guard jobs.count == count else {
      throw ContractFailure(
        message: "claimed \(jobs.count) jobs in phase \(phase), wanted the first \(count)",
        place: ContractPlace(fileID: fileID, filePath: filePath, line: line))
    }
    return jobs
  }

  /// The job whose turn it is.
  func claimNext(
    _ phase: Int = 0, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line
  ) throws -> ClaimedJob {
    try claim(phase, first: 1, fileID: fileID, filePath: filePath, line: line)[0]
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

  func completion(
    _ job: ClaimedJob, _ phase: Int = 0, next: Int?, instructions: [UInt8]? = nil
  ) -> Settlement {
    Settlement(
      job: job.id, token: job.token, from: phase, counters: job.counters, attempt: attempt(job, phase, .succeeded),
      effect: next.map { .advance(to: $0, instructions: instructions) } ?? .succeed(instructions: instructions))
  }

  @discardableResult
  func complete(
    _ job: ClaimedJob, _ phase: Int = 0, next: Int?, instructions: [UInt8]? = nil
  ) throws -> [WriteOutcome] {
    try turn { $0.settlements = [completion(job, phase, next: next, instructions: instructions)] }.settlements
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

  /// In the order in which they were given.
  func heldLeases() throws -> [RunningJob] { try store.runningJobs().sorted { $0.token < $1.token } }

  /// Everybody who can be asked about the jobs: the store, and a reader of it where it has any.
  func readers() throws -> [any JobReader] { try [store as any JobReader] + [store.makeReader()].compactMap(\.self) }

  /// Takes an action to its end, `limit` jobs a step.
  /// - Parameter cursor: `next` of a step that was made before.
  @discardableResult
  package func perform(
    _ action: FilterAction, _ filter: JobFilter = JobFilter(), after cursor: String? = nil, limit: Int = 1_000
  ) throws -> [ActionStep] {
    var steps: [ActionStep] = []
    try follow(cursor) { cursor in
      let step = try store.perform(action, matching: filter, after: cursor, limit: limit, now: now)
      expect(step.examined <= limit && step.changed <= step.examined, "\(step)")
      steps.append(step)
      return step.next
    }
    return steps
  }

  func job(_ id: String) throws -> JobRecord { try require(store.job(.named(id))) }

  /// Every job that matches, page by page.
  func all(_ filter: JobFilter = JobFilter(), pageSize: Int = 100) throws -> [JobRecord] {
    var jobs: [JobRecord] = []
    try follow(nil) { cursor in
      let page = try store.jobs(matching: filter, after: cursor, limit: pageSize)
      expect(page.jobs.count <= pageSize)
      jobs += page.jobs
      return page.next
    }
    return jobs
  }

  /// From cursor to cursor, until `step` gives none. One that never ends does not hold up the other cases.
  func follow(_ first: String?, _ step: (String?) throws -> String?) throws {
    var cursor = first
    for _ in 0..<1_000 {
      cursor = try step(cursor)
      if cursor == nil { return }
    }
    throw ContractFailure(message: "found no end after 1,000 steps from cursor to cursor", place: record.lastPlace)
  }

  func ids(_ filter: JobFilter = JobFilter()) throws -> [String] { try all(filter).map(\.id.text) }

  /// The counts that the store keeps must be those one finds by looking at every job.
  func expectHonestCounts(fileID: String = #fileID, filePath: String = #filePath, line: Int = #line) throws {
    let kept = try store.counts()
    let found = StoreCounts(of: try all(), phases: kept.phases.count)
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
