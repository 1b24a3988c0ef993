internal import PipelineModel

/// A job's attempts, oldest first, one after the other in one blob; their phases are kept as keys.
enum Timeline {
  static let attemptsKept = 100

  static func write(_ attempt: AttemptRecord, key: Int, to writer: inout PackedWriter) {
    writer.add(UInt64(attempt.outcome.rawValue))
    writer.add(UInt64(key))
    writer.add(signed: Int64(attempt.number))
    writer.add(signed: attempt.startedAt.milliseconds)
    // Wraps around on absurd clocks, here and back.
    writer.add(signed: attempt.endedAt.milliseconds &- attempt.startedAt.milliseconds)
    writer.add(attempt.worker.text)
    writer.add(attempt.plugin)
  }

  /// The last ones, as many as are kept; nil where the bytes are no timeline.
  static func attempts(in bytes: [UInt8]) -> [AttemptRecord]? {
    guard bytes.count <= longest else { return nil }
    var reader = PackedReader(bytes)
    var attempts: [AttemptRecord] = []
    while !reader.isAtEnd {
      guard let attempt = next(in: &reader) else { return nil }
      attempts.append(attempt)
    }
    return attempts.suffix(attemptsKept)
  }

  /// What cannot be read begins anew: the job matters more than what is known of its past.
  static func withoutOldest(_ bytes: [UInt8]) -> [UInt8] {
    var reader = PackedReader(bytes)
    guard bytes.count <= longest, next(in: &reader) != nil else { return [] }
    return reader.remainder
  }

  /// Far beyond what as many attempts take.
  private static let longest = 1 << 20

  private static func next(in reader: inout PackedReader) -> AttemptRecord? {
    guard let outcome = reader.number().flatMap(UInt8.init(exactly:)).flatMap(AttemptOutcome.init(rawValue:)),
      let key = reader.number().flatMap(Int.init(exactly:)), let number = reader.signed(),
      let started = reader.signed(), let lasted = reader.signed(),
      let worker = reader.text().flatMap(WorkerID.init), let plugin = reader.text()
    else { return nil }
    return AttemptRecord(
      phase: key, number: Int(number), worker: worker, plugin: plugin,
      startedAt: Timestamp(milliseconds: started), endedAt: Timestamp(milliseconds: started &+ lasted),
      outcome: outcome)
  }
}
