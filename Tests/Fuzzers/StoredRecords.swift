import JobStorage
import PipelineModel

@testable import JobStorageRedis
@testable import JobStorageSQLite

extension FuzzTarget {
  /// What the stores have kept, perhaps damaged. The first byte chooses the kind of record.
  static let storedRecords = FuzzTarget(name: "stored-records", seeds: recordSeeds) { bytes in
    guard let kind = bytes.first.flatMap(RecordKind.init(rawValue:)) else { return }
    let record = Array(bytes.dropFirst())
    let text = String(decoding: record, as: UTF8.self)
    switch kind {
    case .timeline: checkTimeline(record)
    case .packed: checkPacked(record)
    case .attempt:
      expectRoundTrip(record, decode: readAttempt) { attempt in
        var text: [UInt8] = []
        AttemptText.append(attempt, key: attempt.phase, to: &text)
        return text
      }
    case .error: expectRoundTrip(record, decode: { try found(AttemptText.error(in: $0)) }, encode: AttemptText.text)
    case .job: _ = RedisJob(text: text)
    case .lease: _ = RedisLease(text: text)
    case .metrics: checkMetrics(text)
    case .decimals: checkDecimals(record)
    }
  }
}

private enum RecordKind: UInt8 {
  case timeline, packed, attempt, error, job, lease, metrics, decimals
}

private struct NoRecord: Error {}

private func found<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw NoRecord() }
  return value
}

private func readAttempt(_ bytes: [UInt8]) throws -> AttemptRecord {
  // A line as the text of a job is split.
  let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first ?? ""
  return try found(AttemptText.attempt(in: line))
}

private func written(_ attempts: [AttemptRecord]) -> [UInt8] {
  var writer = PackedWriter()
  for attempt in attempts { Timeline.write(attempt, key: attempt.phase, to: &writer) }
  return writer.bytes
}

private func checkTimeline(_ bytes: [UInt8]) {
  expectRoundTrip(bytes, decode: { try found(Timeline.attempts(in: $0)) }, encode: written)
  guard let attempts = Timeline.attempts(in: bytes) else { return }
  let shorter = Timeline.attempts(in: Timeline.withoutOldest(bytes))
  expect(shorter == Array(attempts.dropFirst()), "a timeline without its oldest is not the rest")
}

private func checkPacked(_ bytes: [UInt8]) {
  var reader = PackedReader(bytes)
  guard let number = reader.number(), let signed = reader.signed(), let text = reader.text() else { return }
  var writer = PackedWriter()
  writer.add(number)
  writer.add(signed: signed)
  writer.add(text)
  var again = PackedReader(writer.bytes)
  expect(again.number() == number && again.signed() == signed && again.text() == text, "numbers or a text changed")
  expect(again.isAtEnd, "more was written than is read")
}

private func checkMetrics(_ text: String) {
  var metrics = PhaseMetrics(minute: 0, phase: 0)
  for line in text.split(separator: "\n") {
    let words = line.split(separator: " ")
    guard words.count == 2, let value = Int64(words[1]) else { continue }
    MetricsFields.add(value, field: words[0], to: &metrics)
  }
  var again = PhaseMetrics(minute: 0, phase: 0)
  for field in MetricsFields.nonZero(metrics) { MetricsFields.add(field.value, field: field.name[...], to: &again) }
  expect(again == metrics, "counters changed")
}

private func checkDecimals(_ bytes: [UInt8]) {
  var reader = DecimalReader(bytes)
  while let number = reader.next() {
    var text: [UInt8] = []
    text.append(decimal: number)
    var again = DecimalReader(text)
    expect(again.next() == number, "\(number) changed")
  }
}

private func recordSeeds() -> [[UInt8]] {
  guard let worker = WorkerID("w-1") else { return [] }
  let attempts = [AttemptOutcome.failed, .succeeded].map {
    AttemptRecord(
      phase: 1, number: 2, worker: worker, plugin: "0123456789ab",
      startedAt: Timestamp(milliseconds: 1_700_000_000_000),
      endedAt: Timestamp(milliseconds: 1_700_000_000_250), outcome: $0)
  }
  var line: [UInt8] = []
  AttemptText.append(attempts[0], key: 1, to: &line)
  let error = JobError(type: "T", message: "m: 1", location: "", standardErrorTail: "tail\n")
  let job = "2 1 1 1 0 0 1 1700000000000 1700000001000 17 -3 12 1700000000000\n" + String(decoding: line, as: UTF8.self)
  var packed = PackedWriter()
  packed.add(UInt64.max)
  packed.add(signed: .min)
  packed.add("text")
  let texts: [(RecordKind, [UInt8])] = [
    (.timeline, written(attempts)), (.packed, packed.bytes), (.attempt, line), (.error, AttemptText.text(error)),
    (.job, Array(job.utf8)), (.lease, Array("9 w-1 1700000000000 \(job)".utf8)),
    (.metrics, Array("enqueued 5\nfailed 1\nlatency:sum 900\nlatency:3 2\nwait:0 1".utf8)),
    (.metrics, Array("latency:1 9223372036854775807\nlatency:01 9223372036854775807".utf8)),
    (.decimals, Array("1 -2 9223372036854775807 0".utf8)),
  ]
  return texts.map { [$0.rawValue] + $1 }
}
