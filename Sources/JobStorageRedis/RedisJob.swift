internal import JobStorage
internal import PipelineModel

/// A job's hash, read back.
struct RedisJob {
  let record: JobRecord
  let serial: UInt64
  let key: Int

  /// Nil where a field is missing or is not what was written.
  init?(id: JobID, fields: [RedisReply], keys: PhaseKeys) {
    var values: [String: [UInt8]] = [:]
    for index in stride(from: 0, to: fields.count - 1, by: 2) {
      guard let name = fields[index].string, let value = fields[index + 1].bytes else { return nil }
      values[name] = value
    }
    func text(_ name: String) -> String { values[name].map { String(decoding: $0, as: UTF8.self) } ?? "" }
    func number(_ name: String) -> Int? { Int(text(name)) }
    func time(_ name: String) -> Timestamp? { Int64(text(name)).map(Timestamp.init(milliseconds:)) }
    guard let state = number("s").flatMap({ JobState(rawValue: UInt8(clamping: $0)) }), let key = number("k"),
      let serial = UInt64(text("n")), let priority = number("p"), let attempt = number("a"),
      let failures = number("f"), let crashes = number("c"), let instructions = values["i"],
      let enqueuedAt = time("e"), let updatedAt = time("u"), let attempts = AttemptText.attempts(in: text("h"))
    else { return nil }
    self.serial = serial
    self.key = key
    record = JobRecord(
      id: id, state: state, phase: keys.shownIndex(ofKey: key), priority: priority, attempt: attempt,
      failures: failures, crashes: crashes, instructions: instructions, enqueuedAt: enqueuedAt, updatedAt: updatedAt,
      dueAt: state == .delayed ? time("d") : nil, worker: WorkerID(text("w")),
      error: values["x"].flatMap(AttemptText.error(in:)), attempts: keys.shown(attempts))
  }
}
