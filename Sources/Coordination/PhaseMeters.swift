internal import JobStorage
internal import PipelineModel

/// Adds up what happens until it is handed to the store with some later turn.
struct PhaseMeters {
  /// All since the coordinator's start, by phase; the minute means nothing.
  private(set) var totals: [PhaseMetrics]
  private var minutes: [Int64: [PhaseMetrics]] = [:]

  init(phases: Int) { totals = (0..<phases).map { PhaseMetrics(minute: 0, phase: $0) } }

  mutating func count(_ phase: Int, at now: Timestamp, _ change: (inout PhaseMetrics) -> Void) {
    change(&totals[phase])
    change(&minutes[minute(of: now), default: []][phase])
  }

  /// For what the store did not take: it was counted before.
  mutating func putBack(_ metrics: PhaseMetrics) {
    minutes[minute(of: Timestamp(milliseconds: metrics.minute * 60_000)), default: []][metrics.phase].add(metrics)
  }

  private mutating func minute(of now: Timestamp) -> Int64 {
    let minute = now.milliseconds / 60_000
    if minutes[minute] == nil {
      minutes[minute] = totals.indices.map { PhaseMetrics(minute: minute, phase: $0) }
    }
    return minute
  }

  /// What was counted since the last `take`.
  var untaken: [PhaseMetrics] { minutes.values.flatMap { $0 } }

  /// What was counted since the last call.
  mutating func take() -> [PhaseMetrics] {
    defer { minutes.removeAll(keepingCapacity: true) }
    return minutes.values.flatMap { $0 }.filter { $0 != PhaseMetrics(minute: $0.minute, phase: $0.phase) }
  }
}
