/// How quick a phase is now, out of totals that were read one after the other. A pure value.
struct PhaseRates {
  struct Reading {
    var atMilliseconds: Int64
    var succeeded: Int64
    /// Attempts' durations, not cumulative.
    var latency: [Int64]
  }

  static let rateWindowMilliseconds: Int64 = 5_000
  static let latencyWindowMilliseconds: Int64 = 60_000

  private var readings: [Reading] = []

  /// - Parameter reading: of the same coordinator as those before, or else the first of another one.
  mutating func add(_ reading: Reading) {
    // Totals that shrink are another coordinator's.
    if let last = readings.last, last.succeeded > reading.succeeded { readings = [] }
    // Once a second is enough for what is shown.
    if readings.count > 1, let before = readings.dropLast().last, reading.atMilliseconds - before.atMilliseconds < 1_000
    {
      readings.removeLast()
    }
    readings.append(reading)
    let horizon = reading.atMilliseconds - Self.latencyWindowMilliseconds
    while readings.count > 2, readings[1].atMilliseconds <= horizon { readings.removeFirst() }
  }

  /// Phase runs a second over the last seconds, to a tenth.
  var perSecond: Double {
    guard let last = readings.last,
      let first = readings.last(where: { $0.atMilliseconds <= last.atMilliseconds - Self.rateWindowMilliseconds })
        ?? readings.first, last.atMilliseconds > first.atMilliseconds
    else { return 0 }
    let seconds = Double(last.atMilliseconds - first.atMilliseconds) / 1_000
    return (Double(last.succeeded &- first.succeeded) / seconds * 10).rounded() / 10
  }

  /// Upper end of the bucket of the percentile over the last minute; nil where nothing ran.
  func percentile(_ fraction: Double, bounds: [Int64]) -> Int64? {
    guard let first = readings.first, let last = readings.last else { return nil }
    let counts = zip(last.latency, first.latency).map { max(0, $0 &- $1) }
    let total = counts.reduce(0, &+)
    guard total > 0, !bounds.isEmpty else { return nil }
    var seen: Int64 = 0
    for (bucket, count) in counts.enumerated() {
      seen &+= count
      if Double(seen) >= fraction * Double(total) { return bounds[min(bucket, bounds.count - 1)] }
    }
    return nil
  }
}
