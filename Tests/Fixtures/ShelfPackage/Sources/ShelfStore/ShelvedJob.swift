import JobStorage
import PipelineModel

/// A job as the shelf has it.
struct ShelvedJob {
  /// Rises with each enqueue.
  let serial: UInt64
  /// With keys for phases.
  private(set) var record: JobRecord
  /// Among those of its state, and of its phase and priority where it waits: the smallest first.
  private(set) var order: Int64 = 0
  private(set) var queuedAt: Timestamp
  private(set) var token: LeaseToken?

  private static let attemptsKept = 100

  /// It has to be put somewhere yet.
  init(_ new: NewJob, serial: UInt64, key: Int, now: Timestamp) {
    self.serial = serial
    queuedAt = now
    record = JobRecord(
      id: new.id, state: .waiting, phase: key, priority: new.priority, attempt: 0, failures: 0, crashes: 0,
      instructions: new.instructions, enqueuedAt: now, updatedAt: now)
  }

  /// What `JobLifecycle` decides by.
  func standing(_ keys: PhaseKeys) -> Standing {
    Standing(state: record.state, phase: keys.index(ofKey: record.phase), token: token, counters: counters)
  }

  /// All of a move but the place where it ends.
  mutating func note(_ move: Move, _ keys: PhaseKeys) {
    if let attempt = move.attempt { keep(attempt, keys) }
    if let instructions = move.instructions { record.instructions = instructions }
    switch move.error {
    case .kept: break
    case .replaced(let error): record.error = error
    case .forgotten: record.error = nil
    }
    counters = move.counters
  }

  /// Takes it out of where it stands, and out of its lease.
  mutating func put(at place: Place, order: Int64, _ keys: PhaseKeys, now: Timestamp) {
    endLease()
    self.order = order
    record.updatedAt = now
    record.dueAt = nil
    switch place {
    case .queue(let phase, _):
      record.state = .waiting
      record.phase = keys.key(ofIndex: phase) ?? record.phase
      queuedAt = now
    case .delayed(let due):
      record.state = .delayed
      record.dueAt = due
    case .finished(let state): record.state = state
    }
  }

  mutating func beginLease(_ token: LeaseToken, _ worker: WorkerID, now: Timestamp) {
    counters = JobLifecycle.claim(counters)
    record.state = .running
    record.worker = worker
    record.updatedAt = now
    self.token = token
  }

  /// From here on its token is stale.
  mutating func endLease() {
    token = nil
    record.worker = nil
  }

  private mutating func keep(_ attempt: AttemptRecord, _ keys: PhaseKeys) {
    var kept = attempt
    kept.phase = keys.key(ofIndex: attempt.phase) ?? record.phase
    record.attempts = record.attempts.suffix(Self.attemptsKept - 1) + [kept]
  }

  private var counters: JobCounters {
    get {
      JobCounters(
        attempt: record.attempt, failures: record.failures, crashes: record.crashes, losses: record.losses)
    }
    set {
      record.attempt = newValue.attempt
      record.failures = newValue.failures
      record.crashes = newValue.crashes
      record.losses = newValue.losses
    }
  }
}

/// As others see it.
extension ShelvedJob {
  func shown(_ keys: PhaseKeys) -> JobRecord {
    var shown = record
    shown.phase = keys.shownIndex(ofKey: record.phase)
    shown.attempts = keys.shown(record.attempts)
    return shown
  }

  /// Its lease, where it has one. It was claimed when it last changed.
  func running(_ keys: PhaseKeys) -> RunningJob? {
    guard let token, let worker = record.worker else { return nil }
    return RunningJob(
      id: record.id, token: token, phase: keys.shownIndex(ofKey: record.phase), worker: worker,
      attempt: record.attempt, failures: record.failures, crashes: record.crashes, losses: record.losses,
      claimedAt: record.updatedAt)
  }

  /// For the worker that has just got it.
  var claimed: ClaimedJob? {
    guard let token else { return nil }
    return ClaimedJob(
      id: record.id, token: token, attempt: record.attempt, failures: record.failures, crashes: record.crashes,
      losses: record.losses, instructions: record.instructions, queuedAt: queuedAt)
  }

  func isMeant(by filter: JobFilter, _ keys: PhaseKeys) -> Bool { filter.matches(shown(keys)) }
}

extension PhaseCounts {
  init(of jobs: [ShelvedJob]) {
    func count(_ state: JobState) -> Int { jobs.count { $0.record.state == state } }
    self.init(
      waiting: count(.waiting), delayed: count(.delayed), running: count(.running), dead: count(.dead))
  }
}
