import JobStorage
import PipelineModel

/// Jobs as `JobLifecycle` alone moves them: a dictionary, and lists of who stands where. What a store does is compared
/// with it.
struct ReferenceStore {
  private struct Job {
    var record: JobRecord
    let serial: Int
    var token: LeaseToken?
    /// When it came into its queue.
    var queuedAt: Timestamp
  }

  private var jobs: [JobID: Job] = [:]
  /// In the order in which they are given out.
  private var queues: [[JobID]]
  /// Succeeded and cancelled; dead: in the order in which they came to their end.
  private var ended: [JobID] = []
  private var died: [JobID] = []
  private var lastSerial = 0

  init(phases: Int) { queues = Array(repeating: [], count: phases) }

  /// Newest enqueued first.
  var dump: [JobRecord] { oldestFirst.reversed().map(\.record) }

  private var oldestFirst: [Job] { jobs.values.sorted { $0.serial < $1.serial } }

  var running: [RunningJob] { jobs.values.compactMap(holder(of:)).sorted { $0.token < $1.token } }

  private func holder(of job: Job) -> RunningJob? {
    guard let token = job.token, let worker = job.record.worker else { return nil }
    let record = job.record
    return RunningJob(
      id: record.id, token: token, phase: record.phase, worker: worker, attempt: record.attempt,
      failures: record.failures, crashes: record.crashes, losses: record.losses, claimedAt: record.updatedAt)
  }

  private func standing(_ job: Job) -> Standing {
    Standing(
      state: job.record.state, phase: job.record.phase, token: job.token, counters: job.record.counters)
  }
}

/// A turn.
extension ReferenceStore {
  /// - Parameter tokens: those that the store gave, claim by claim.
  mutating func apply(_ turn: StoreTurn, tokens: [[LeaseToken]]) -> StoreTurnResult {
    var result = StoreTurnResult()
    result.settlements = settle(turn)
    for new in turn.enqueues { result.enqueues.append(enqueue(new, turn)) }
    if turn.promotionLimit > 0 {
      result.promoted = promote(turn)
      result.nextDue = jobs.values.compactMap(\.record.dueAt).min()
    }
    for (place, claim) in turn.claims.enumerated() {
      result.claims.append(self.claim(claim, tokens.indices.contains(place) ? tokens[place] : [], now: turn.now))
    }
    return result
  }

  private mutating func settle(_ turn: StoreTurn) -> [WriteOutcome] {
    var toFront: [(JobID, Move)] = []
    var outcomes: [WriteOutcome] = []
    for settlement in turn.settlements {
      guard let job = jobs[settlement.job],
        let move = JobLifecycle.settle(settlement, of: standing(job), dueBy: turn.promotionTime)
      else {
        outcomes.append(.stale)
        continue
      }
      outcomes.append(.recorded)
      jobs[settlement.job]?.token = nil
      if settlement.effect.isToFront {
        toFront.append((settlement.job, move))
      } else {
        execute(move, on: settlement.job, now: turn.now)
      }
    }
    for (id, move) in toFront.reversed() { execute(move, on: id, now: turn.now) }
    return outcomes
  }

  private mutating func enqueue(_ new: NewJob, _ turn: StoreTurn) -> EnqueueOutcome {
    if let there = jobs[new.id] { return .duplicate(there.record.state) }
    lastSerial += 1
    let record = JobRecord(
      id: new.id, state: .waiting, phase: 0, priority: new.priority, attempt: 0, failures: 0, crashes: 0,
      instructions: new.instructions, enqueuedAt: turn.now, updatedAt: turn.now)
    jobs[new.id] = Job(record: record, serial: lastSerial, queuedAt: turn.now)
    let place = JobLifecycle.enqueue(new, at: 0, dueBy: turn.promotionTime)
    execute(Move(to: place, counters: .zero), on: new.id, now: turn.now)
    return .stored
  }

  private mutating func promote(_ turn: StoreTurn) -> [Int: Int] {
    let due = oldestFirst.filter { $0.record.dueAt.map { $0 <= turn.promotionTime } ?? false }
      .sorted { ($0.record.dueAt ?? turn.now, $0.serial) < ($1.record.dueAt ?? turn.now, $1.serial) }
    var promoted: [Int: Int] = [:]
    for job in due.prefix(turn.promotionLimit) {
      guard let move = JobLifecycle.promote(standing(job)) else { continue }
      execute(move, on: job.record.id, now: turn.now)
      promoted[job.record.phase, default: 0] += 1
    }
    return promoted
  }

  private mutating func claim(_ claim: Claim, _ tokens: [LeaseToken], now: Timestamp) -> [ClaimedJob] {
    let ids = queues[claim.phase].prefix(claim.limit)
    queues[claim.phase].removeFirst(ids.count)
    return ids.enumerated().compactMap { place, id in
      guard var job = jobs[id] else { return nil }
      job.token = tokens.indices.contains(place) ? tokens[place] : LeaseToken(0)
      job.record.counters = JobLifecycle.claim(job.record.counters)
      (job.record.state, job.record.worker, job.record.updatedAt) = (.running, claim.worker, now)
      jobs[id] = job
      let record = job.record
      return ClaimedJob(
        id: id, token: job.token ?? LeaseToken(0), attempt: record.attempt, failures: record.failures,
        crashes: record.crashes, losses: record.losses, instructions: record.instructions, queuedAt: job.queuedAt)
    }
  }

  private mutating func execute(_ move: Move, on id: JobID, now: Timestamp) {
    guard var job = jobs[id] else { return }
    withdraw(id)
    if let attempt = move.attempt { job.record.attempts = (job.record.attempts + [attempt]).suffix(100) }
    if let instructions = move.instructions { job.record.instructions = instructions }
    switch move.error {
    case .kept: break
    case .replaced(let error): job.record.error = error
    case .forgotten: job.record.error = nil
    }
    job.record.counters = move.counters
    (job.token, job.record.worker, job.record.dueAt, job.record.updatedAt) = (nil, nil, nil, now)
    switch move.to {
    case .queue(let phase, let atFront):
      (job.record.state, job.record.phase, job.queuedAt) = (.waiting, phase, now)
      enter(job, atFront: atFront)
    case .delayed(let due): (job.record.state, job.record.dueAt) = (.delayed, due)
    case .finished(let state):
      job.record.state = state
      if state == .dead { died.append(id) } else { ended.append(id) }
    }
    jobs[id] = job
  }

  private mutating func enter(_ job: Job, atFront: Bool) {
    let phase = job.record.phase
    let priorities = queues[phase].map { jobs[$0]?.record.priority ?? 0 }
    let place = priorities.firstIndex { atFront ? $0 <= job.record.priority : $0 < job.record.priority }
    queues[phase].insert(job.record.id, at: place ?? queues[phase].count)
  }

  private mutating func withdraw(_ id: JobID) {
    for phase in queues.indices { queues[phase].removeAll { $0 == id } }
    ended.removeAll { $0 == id }
    died.removeAll { $0 == id }
  }
}

/// What people and upkeep do.
extension ReferenceStore {
  mutating func cancel(_ id: JobID, now: Timestamp) -> (was: JobState, lease: RunningJob?)? {
    guard let job = jobs[id] else { return nil }
    let lease = holder(of: job)
    guard let move = JobLifecycle.cancel(standing(job), lease: lease, now: now) else { return (job.record.state, nil) }
    execute(move, on: id, now: now)
    return (job.record.state, lease)
  }

  /// - Returns: the state it had, and the phase that it went to.
  mutating func requeue(_ id: JobID, with instructions: [UInt8]?, now: Timestamp) -> (was: JobState, phase: Int?)? {
    guard let job = jobs[id] else { return nil }
    guard let move = JobLifecycle.requeue(standing(job), with: instructions) else { return (job.record.state, nil) }
    execute(move, on: id, now: now)
    return (job.record.state, job.record.phase)
  }

  mutating func perform(_ action: FilterAction, _ filter: JobFilter, now: Timestamp) -> ActionStep {
    var step = ActionStep()
    let states = filter.states(for: action)
    for states in action == .requeue && filter.id == nil ? states.map({ [$0] }) : [states] {
      for job in oldestFirst where states.contains(job.record.state) && filter.matches(job.record) {
        change(job.record.id, action, now: now, &step)
      }
    }
    return step
  }

  private mutating func change(_ id: JobID, _ action: FilterAction, now: Timestamp, _ step: inout ActionStep) {
    step.changed += 1
    switch action {
    case .cancel:
      if let lease = cancel(id, now: now)?.lease { step.broken.append(lease) }
      step.cancelled.append(id)
    case .requeue:
      if let phase = requeue(id, with: nil, now: now)?.phase { step.requeued[phase, default: 0] += 1 }
    case .delete: remove(id)
    }
  }

  mutating func prune(_ policy: RetentionPolicy, limit: Int, now: Timestamp) -> Int {
    var pruned = 0
    let deadBeyond = policy.maximumDead.map { died.count - $0 } ?? 0
    while pruned < min(limit, deadBeyond), let oldest = died.first {
      remove(oldest)
      pruned += 1
    }
    while pruned < limit, let oldest = ended.first, isBeyond(policy, oldest, now: now) {
      remove(oldest)
      pruned += 1
    }
    return pruned
  }

  private func isBeyond(_ policy: RetentionPolicy, _ oldest: JobID, now: Timestamp) -> Bool {
    let bytes = ended.reduce(0) { $0 + (jobs[$1]?.record.instructions.count ?? 0) }
    let age = jobs[oldest].map { now - $0.record.updatedAt } ?? 0
    return ended.count > policy.maximumFinished || bytes > policy.maximumBytes || age > policy.maximumAgeMilliseconds
  }

  private mutating func remove(_ id: JobID) {
    withdraw(id)
    jobs[id] = nil
  }
}

extension JobRecord {
  var counters: JobCounters {
    get { JobCounters(attempt: attempt, failures: failures, crashes: crashes, losses: losses) }
    set {
      (attempt, failures, crashes, losses) = (newValue.attempt, newValue.failures, newValue.crashes, newValue.losses)
    }
  }
}
