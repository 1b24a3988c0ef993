internal import JobStorage
internal import PipelineModel

/// A job's text in the key `job` (`scriptPrelude`), read back.
struct RedisJob {
  let state: JobState
  let key: Int
  let attempt: Int
  let failures: Int
  let crashes: Int
  let losses: Int
  let updatedAt: Timestamp
  let dueAt: Timestamp
  /// Of the instructions, in bytes.
  let size: Int
  let priority: Int
  let serial: UInt64
  let enqueuedAt: Timestamp
  private let timeline: [Substring]

  /// Nil where the first line is not what was written.
  init?(text: String) {
    let lines = text.split(separator: "\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 13, let state = UInt8(words[0]).flatMap(JobState.init(rawValue:)),
      let key = Stored.count(words[1]), let attempt = Stored.count(words[2]), let failures = Stored.count(words[3]),
      let crashes = Stored.count(words[4]), let losses = Stored.count(words[5]), let updated = Int64(words[7]),
      let due = Int64(words[8]), let size = Stored.count(words[9]), let priority = Int(words[10]),
      let serial = Stored.count(words[11]), let enqueued = Int64(words[12])
    else { return nil }
    self.state = state
    self.key = key
    self.attempt = attempt
    self.failures = failures
    self.crashes = crashes
    self.losses = losses
    updatedAt = Timestamp(milliseconds: updated)
    dueAt = Timestamp(milliseconds: due)
    self.size = size
    self.priority = priority
    self.serial = UInt64(serial)
    enqueuedAt = Timestamp(milliseconds: enqueued)
    timeline = Array(lines.dropFirst())
  }

  /// A running job's are those before its claim.
  var counters: JobCounters {
    JobCounters(attempt: attempt, failures: failures, crashes: crashes, losses: losses)
  }

  /// Lines that are damaged are left out.
  var attempts: [AttemptRecord] { timeline.compactMap(AttemptText.attempt(in:)) }

  func record(
    _ id: JobID, instructions: [UInt8], error: JobError?, lease: RedisLease?, keys: PhaseKeys
  ) -> JobRecord {
    JobRecord(
      id: id, state: lease == nil ? state : .running, phase: keys.shownIndex(ofKey: key), priority: priority,
      attempt: lease?.attempt ?? attempt, failures: failures, crashes: crashes, losses: losses,
      instructions: instructions, enqueuedAt: enqueuedAt, updatedAt: lease?.claimedAt ?? updatedAt,
      dueAt: lease == nil && state == .delayed ? dueAt : nil, worker: lease?.worker, error: error,
      attempts: keys.shown(attempts))
  }
}

/// A lease's text in the key `running`, with what it says of the job as it was claimed.
struct RedisLease {
  let token: LeaseToken
  let key: Int
  let worker: WorkerID
  let claimedAt: Timestamp
  let attempt: Int
  let failures: Int
  let crashes: Int
  let losses: Int

  init?(text: String) {
    let words = text.split(separator: " ", maxSplits: 3)
    guard words.count == 4, let token = Stored.count(words[0]), let worker = WorkerID(String(words[1])),
      let claimed = Int64(words[2]), let job = RedisJob(text: String(words[3]))
    else { return nil }
    self.token = LeaseToken(UInt64(token))
    key = job.key
    self.worker = worker
    claimedAt = Timestamp(milliseconds: claimed)
    attempt = job.attempt + 1
    failures = job.failures
    crashes = job.crashes
    losses = job.losses
  }

  func runningJob(_ id: JobID, keys: PhaseKeys) -> RunningJob {
    RunningJob(
      id: id, token: token, phase: keys.shownIndex(ofKey: key), worker: worker, attempt: attempt, failures: failures,
      crashes: crashes, losses: losses, claimedAt: claimedAt)
  }
}
