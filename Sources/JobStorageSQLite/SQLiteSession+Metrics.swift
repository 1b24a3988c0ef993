internal import JobStorage
internal import PipelineModel

extension SQLiteSession {
  func add(_ metrics: PhaseMetrics) throws(SQLiteFailure) {
    guard let key = keys.key(ofIndex: metrics.phase) else { return }
    let kept = try connection.statement(.readMetrics).bind(metrics.minute).bind(key).first(PhaseMetrics.init(stored:))
    var sum = kept ?? PhaseMetrics(minute: metrics.minute, phase: key)
    sum.add(metrics)
    scratch.removeAll()
    scratch.add(sum.latency)
    scratch.add(sum.wait)
    try connection.statement(.writeMetrics)
      .bind(sum.minute).bind(key).bind(sum.enqueued).bind(sum.started).bind(sum.succeeded).bind(sum.failed)
      .bind(sum.retried).bind(sum.crashed).bind(sum.dead).bind(scratch.bytes).run()
  }
}

extension JobView {
  func metrics(minutes range: ClosedRange<Int64>) throws(SQLiteFailure) -> [PhaseMetrics] {
    let row = try connection.statement(.metricsOfMinutes).bind(range.lowerBound).bind(range.upperBound)
    defer { row.reset() }
    var found: [PhaseMetrics] = []
    while try row.step() {
      var metrics = try PhaseMetrics(stored: row)
      guard let index = keys.index(ofKey: metrics.phase) else { continue }
      metrics.phase = index
      found.append(metrics)
    }
    return found.sorted { ($0.minute, $0.phase) < ($1.minute, $1.phase) }
  }

}

extension PhaseMetrics {
  /// The phase is a key.
  fileprivate init(stored row: Statement) throws(SQLiteFailure) {
    self.init(minute: row.int64(0), phase: row.int(1))
    enqueued = row.int(2)
    started = row.int(3)
    succeeded = row.int(4)
    failed = row.int(5)
    retried = row.int(6)
    crashed = row.int(7)
    dead = row.int(8)
    var reader = PackedReader(row.bytes(9))
    guard let latency = reader.histogram(), let wait = reader.histogram() else {
      throw SQLiteFailure.unreadable("the metrics of minute \(minute) cannot be read")
    }
    self.latency = latency
    self.wait = wait
  }
}

extension PackedWriter {
  mutating func add(_ histogram: DurationHistogram) {
    add(signed: histogram.sumMicroseconds)
    for count in histogram.counts { add(signed: Int64(count)) }
  }
}

extension PackedReader {
  mutating func histogram() -> DurationHistogram? {
    var histogram = DurationHistogram()
    guard let sum = signed() else { return nil }
    histogram.sumMicroseconds = sum
    for index in histogram.counts.indices {
      guard let count = signed() else { return nil }
      histogram.counts[index] = Int(count)
    }
    return histogram
  }
}
