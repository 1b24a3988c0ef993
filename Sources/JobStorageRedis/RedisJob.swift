internal import JobStorage
internal import PipelineModel

/// A job, read back from its hash and, where it runs, its lease.
struct RedisJob {
  let record: JobRecord
  let serial: UInt64
  let key: Int

  /// Nil where a field is missing or is not what was written.
  init?(id: JobID, fields: [RedisReply], lease: RedisLease?, keys: PhaseKeys) {
    var values: [String: [UInt8]] = [:]
    for index in stride(from: 0, to: fields.count - 1, by: 2) {
      guard let name = fields[index].string, let value = fields[index + 1].bytes else { return nil }
      values[name] = value
    }
    func text(_ name: String) -> String { values[name].map { String(decoding: $0, as: UTF8.self) } ?? "" }
    func number(_ name: String) -> Int? { Int(text(name)) }
    func time(_ name: String) -> Timestamp? { Int64(text(name)).map(Timestamp.init(milliseconds:)) }
    var attempts: [AttemptRecord] = []
    let count = number("hn") ?? 0
    for place in max(1, count - 99)..<(count + 1) {
      guard let attempt = AttemptText.attempt(in: text("h\(place)")) else { return nil }
      attempts.append(attempt)
    }
    guard let kept = number("s").flatMap({ JobState(rawValue: UInt8(clamping: $0)) }), let key = number("k"),
      let serial = UInt64(text("n")), let priority = number("p"), let attempt = number("a"),
      let failures = number("f"), let crashes = number("c"), let instructions = values["i"],
      let enqueuedAt = time("e"), let updatedAt = time("u")
    else { return nil }
    self.serial = serial
    self.key = key
    record = JobRecord(
      id: id, state: lease == nil ? kept : .running, phase: keys.shownIndex(ofKey: key), priority: priority,
      attempt: lease?.attempt ?? attempt, failures: failures, crashes: crashes, instructions: instructions,
      enqueuedAt: enqueuedAt, updatedAt: lease?.claimedAt ?? updatedAt, dueAt: kept == .delayed ? time("d") : nil,
      worker: lease?.worker, error: values["x"].flatMap(AttemptText.error(in:)), attempts: keys.shown(attempts))
  }
}

/// `TOKEN KEY WORKER ATTEMPT FAILURES CRASHES UNTIL CLAIMED …`, as the key `running` holds it.
struct RedisLease {
  let token: LeaseToken
  let key: Int
  let worker: WorkerID
  let attempt: Int
  let failures: Int
  let crashes: Int
  let until: Timestamp
  let claimedAt: Timestamp

  init?(text: String) {
    let words = text.split(separator: " ")
    guard words.count == 11, let token = UInt64(words[0]), let key = Int(words[1]),
      let worker = WorkerID(String(words[2])), let attempt = Int(words[3]), let failures = Int(words[4]),
      let crashes = Int(words[5]), let until = Int64(words[6]), let claimed = Int64(words[7])
    else { return nil }
    self.token = LeaseToken(token)
    self.key = key
    self.worker = worker
    self.attempt = attempt
    self.failures = failures
    self.crashes = crashes
    self.until = Timestamp(milliseconds: until)
    claimedAt = Timestamp(milliseconds: claimed)
  }

  func runningJob(_ id: JobID, keys: PhaseKeys) -> RunningJob {
    RunningJob(
      id: id, token: token, phase: keys.shownIndex(ofKey: key), worker: worker, attempt: attempt, failures: failures,
      crashes: crashes, leaseUntil: until, claimedAt: claimedAt)
  }
}
