internal import JobStorage
internal import PipelineModel

/// A job's text in the key `job` (`scriptPrelude`), read back.
struct RedisJob {
  let state: JobState
  let key: Int
  let attempt: Int
  let failures: Int
  let crashes: Int
  let updatedAt: Timestamp
  let dueAt: Timestamp
  /// Of the instructions, in bytes.
  let size: Int
  let priority: Int
  let serial: UInt64
  let enqueuedAt: Timestamp
  let attempts: [AttemptRecord]

  /// Nil where the text is not what was written.
  init?(text: String) {
    let lines = text.split(separator: "\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 11, let state = UInt8(words[0]).flatMap(JobState.init(rawValue:)), let key = Int(words[1]),
      let attempt = Int(words[2]), let failures = Int(words[3]), let crashes = Int(words[4]),
      let updated = Int64(words[5]), let due = Int64(words[6]), let size = Int(words[7]), let priority = Int(words[8]),
      let serial = UInt64(words[9]), let enqueued = Int64(words[10])
    else { return nil }
    var attempts: [AttemptRecord] = []
    for line in lines.dropFirst() {
      guard let attempt = AttemptText.attempt(in: line) else { return nil }
      attempts.append(attempt)
    }
    self.state = state
    self.key = key
    self.attempt = attempt
    self.failures = failures
    self.crashes = crashes
    updatedAt = Timestamp(milliseconds: updated)
    dueAt = Timestamp(milliseconds: due)
    self.size = size
    self.priority = priority
    self.serial = serial
    enqueuedAt = Timestamp(milliseconds: enqueued)
    self.attempts = attempts
  }

  func record(
    _ id: JobID, instructions: [UInt8], error: JobError?, lease: RedisLease?, keys: PhaseKeys
  ) -> JobRecord {
    JobRecord(
      id: id, state: lease == nil ? state : .running, phase: keys.shownIndex(ofKey: key), priority: priority,
      attempt: lease?.attempt ?? attempt, failures: failures, crashes: crashes, instructions: instructions,
      enqueuedAt: enqueuedAt, updatedAt: lease?.claimedAt ?? updatedAt, dueAt: state == .delayed ? dueAt : nil,
      worker: lease?.worker, error: error, attempts: keys.shown(attempts))
  }
}

/// A lease's text in the key `running`, with what it says of the job as it was claimed.
struct RedisLease {
  let token: LeaseToken
  let key: Int
  let worker: WorkerID
  let until: Timestamp
  let claimedAt: Timestamp
  let attempt: Int
  let failures: Int
  let crashes: Int

  init?(text: String) {
    let words = text.split(separator: " ", maxSplits: 4)
    guard words.count == 5, let token = UInt64(words[0]), let worker = WorkerID(String(words[1])),
      let until = Int64(words[2]), let claimed = Int64(words[3]), let job = RedisJob(text: String(words[4]))
    else { return nil }
    self.token = LeaseToken(token)
    key = job.key
    self.worker = worker
    self.until = Timestamp(milliseconds: until)
    claimedAt = Timestamp(milliseconds: claimed)
    attempt = job.attempt + 1
    failures = job.failures
    crashes = job.crashes
  }

  func runningJob(_ id: JobID, keys: PhaseKeys) -> RunningJob {
    RunningJob(
      id: id, token: token, phase: keys.shownIndex(ofKey: key), worker: worker, attempt: attempt, failures: failures,
      crashes: crashes, leaseUntil: until, claimedAt: claimedAt)
  }
}
