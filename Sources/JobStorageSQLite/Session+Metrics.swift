internal import JobStorage
internal import PipelineModel

extension Session {
  func add(_ metrics: PhaseMetrics) throws(SQLiteFailure) {
    guard let key = keys.key(ofIndex: metrics.phase) else { return }
    let kept = try connection.statement(.readMetrics).bind(metrics.minute).bind(key).first(Self.metrics)
    var sum = kept ?? PhaseMetrics(minute: metrics.minute, phase: key)
    sum.add(metrics)
    scratch.removeAll()
    scratch.add(sum.latency)
    scratch.add(sum.wait)
    try connection.statement(.writeMetrics)
      .bind(sum.minute).bind(key).bind(sum.enqueued).bind(sum.started).bind(sum.succeeded).bind(sum.failed)
      .bind(sum.retried).bind(sum.crashed).bind(sum.dead).bind(scratch.bytes).run()
  }

  func metrics(minutes range: ClosedRange<Int64>) throws(SQLiteFailure) -> [PhaseMetrics] {
    let row = try connection.statement(.metricsOfMinutes).bind(range.lowerBound).bind(range.upperBound)
    defer { row.reset() }
    var found: [PhaseMetrics] = []
    while try row.step() {
      var metrics = try Self.metrics(row)
      guard let index = keys.index(ofKey: metrics.phase) else { continue }
      metrics.phase = index
      found.append(metrics)
    }
    return found.sorted { ($0.minute, $0.phase) < ($1.minute, $1.phase) }
  }

  /// The phase is a key.
  private static func metrics(_ row: Statement) throws(SQLiteFailure) -> PhaseMetrics {
    var metrics = PhaseMetrics(minute: row.int64(0), phase: row.int(1))
    metrics.enqueued = row.int(2)
    metrics.started = row.int(3)
    metrics.succeeded = row.int(4)
    metrics.failed = row.int(5)
    metrics.retried = row.int(6)
    metrics.crashed = row.int(7)
    metrics.dead = row.int(8)
    var reader = PackedReader(row.bytes(9))
    guard let latency = reader.histogram(), let wait = reader.histogram() else {
      throw SQLiteFailure.unreadable("the metrics of minute \(metrics.minute) cannot be read")
    }
    metrics.latency = latency
    metrics.wait = wait
    return metrics
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
