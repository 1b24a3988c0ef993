internal import PipelineModel

/// A job's attempts, oldest first, one after the other in one blob; their phases are keys.
enum Timeline {
  static let attemptsKept = 100

  static func write(_ attempt: AttemptRecord, to writer: inout PackedWriter) {
    writer.add(UInt64(attempt.outcome.rawValue))
    writer.add(UInt64(attempt.phase))
    writer.add(signed: Int64(attempt.number))
    writer.add(signed: attempt.startedAt.milliseconds)
    // Wraps around on absurd clocks, here and back.
    writer.add(signed: attempt.endedAt.milliseconds &- attempt.startedAt.milliseconds)
    writer.add(attempt.worker.text)
    writer.add(attempt.plugin)
  }

  static func attempts(in bytes: [UInt8]) throws(SQLiteFailure) -> [AttemptRecord] {
    var reader = PackedReader(bytes)
    var attempts: [AttemptRecord] = []
    while !reader.isAtEnd { attempts.append(try next(in: &reader)) }
    return attempts
  }

  static func withoutOldest(_ bytes: [UInt8]) throws(SQLiteFailure) -> [UInt8] {
    var reader = PackedReader(bytes)
    guard !reader.isAtEnd else { return [] }
    _ = try next(in: &reader)
    return reader.remainder
  }

  private static func next(in reader: inout PackedReader) throws(SQLiteFailure) -> AttemptRecord {
    guard let outcome = reader.number().flatMap(UInt8.init(exactly:)).flatMap(AttemptOutcome.init(rawValue:)),
      let key = reader.number().flatMap(Int.init(exactly:)), let number = reader.signed(),
      let started = reader.signed(), let lasted = reader.signed(),
      let worker = reader.text().flatMap(WorkerID.init), let plugin = reader.text()
    else { throw SQLiteFailure.unreadable("a job's timeline cannot be read") }
    return AttemptRecord(
      phase: key, number: Int(number), worker: worker, plugin: plugin,
      startedAt: Timestamp(milliseconds: started), endedAt: Timestamp(milliseconds: started &+ lasted),
      outcome: outcome)
  }
}
