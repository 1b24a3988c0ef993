import JobStorage
import PipelineModel

/// A job as the shelf has it.
struct ShelvedJob {
  /// Rises with each enqueue.
  var serial: UInt64
  /// With keys for phases.
  var record: JobRecord
  /// Among those of its state, and of its phase and priority where it waits: the smallest first.
  var place: Int64 = 0
  var queuedAt: Timestamp
  var token: LeaseToken?

  init(_ new: NewJob, serial: UInt64, key: Int, now: Timestamp) {
    self.serial = serial
    queuedAt = now
    record = JobRecord(
      id: new.id, state: .waiting, phase: key, priority: new.priority, attempt: 0, failures: 0, crashes: 0,
      instructions: new.instructions, enqueuedAt: now, updatedAt: now)
  }

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

  func isMeant(by filter: JobFilter, _ keys: PhaseKeys) -> Bool {
    var looked = record
    looked.phase = keys.shownIndex(ofKey: record.phase)
    return filter.matches(looked)
  }

  mutating func keep(_ attempt: AttemptRecord, key: Int) {
    var kept = attempt
    kept.phase = key
    record.attempts = record.attempts.suffix(99) + [kept]
  }

  mutating func resetCounters() {
    record.attempt = 0
    record.failures = 0
    record.crashes = 0
    record.losses = 0
  }
}

extension PhaseCounts {
  init(of jobs: [ShelvedJob]) {
    func count(_ state: JobState) -> Int { jobs.count { $0.record.state == state } }
    self.init(
      waiting: count(.waiting), delayed: count(.delayed), running: count(.running), dead: count(.dead))
  }
}
