internal import JobStorage

/// The counters of a minute as fields of a hash.
enum MetricsFields {
  private static let counters: [(name: String, path: any WritableKeyPath<PhaseMetrics, Int> & Sendable)] = [
    ("enqueued", \.enqueued), ("started", \.started), ("succeeded", \.succeeded), ("failed", \.failed),
    ("retried", \.retried), ("crashed", \.crashed), ("dead", \.dead),
  ]
  private static let histograms:
    [(name: String, path: any WritableKeyPath<PhaseMetrics, DurationHistogram> & Sendable)] = [
      ("latency", \.latency), ("wait", \.wait),
    ]

  static func nonZero(_ metrics: PhaseMetrics) -> [(name: String, value: Int64)] {
    var fields = counters.map { (name: $0.name, value: Int64(metrics[keyPath: $0.path])) }
    for (name, path) in histograms {
      let histogram = metrics[keyPath: path]
      fields.append((name: "\(name):sum", value: histogram.sumMicroseconds))
      fields += histogram.counts.enumerated().map { (name: "\(name):\($0.offset)", value: Int64($0.element)) }
    }
    // The first stands for the minute itself, also where nothing was counted.
    return fields.enumerated().filter { $0.offset == 0 || $0.element.value != 0 }.map(\.element)
  }

  /// Adds what one field holds, where it is one and can be true.
  static func add(_ value: Int64, field: Substring, to metrics: inout PhaseMetrics) {
    // So that a sum of all buckets, hours and phases stays within 64 bits.
    guard (0...(1 << 40)).contains(value) || field.hasSuffix(":sum") && (0...Stored.maximum).contains(value) else {
      return
    }
    if let counter = counters.first(where: { $0.name == field }) {
      metrics[keyPath: counter.path] &+= Int(value)
      return
    }
    let words = field.split(separator: ":")
    guard words.count == 2, let histogram = histograms.first(where: { $0.name == words[0] }) else { return }
    if words[1] == "sum" {
      metrics[keyPath: histogram.path].sumMicroseconds &+= value
    } else if let bucket = Int(words[1]), metrics[keyPath: histogram.path].counts.indices.contains(bucket) {
      metrics[keyPath: histogram.path].counts[bucket] &+= Int(value)
    }
  }
}
