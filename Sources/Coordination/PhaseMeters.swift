internal import JobStorage
internal import PipelineModel

/// Adds up what happens until it is handed to the store with some later turn.
struct PhaseMeters {
  private var minutes: [Int64: [PhaseMetrics]] = [:]
  private let phases: Int
  init(phases: Int) { self.phases = phases }

  mutating func count(_ phase: Int, at now: Timestamp, _ change: (inout PhaseMetrics) -> Void) {
    let minute = now.milliseconds / 60_000
    if minutes[minute] == nil {
      minutes[minute] = (0..<phases).map { PhaseMetrics(minute: minute, phase: $0) }
    }
    change(&minutes[minute, default: []][phase])
  }

  /// What was counted since the last call.
  mutating func take() -> [PhaseMetrics] {
    defer { minutes.removeAll(keepingCapacity: true) }
    return minutes.values.flatMap { $0 }.filter { $0 != PhaseMetrics(minute: $0.minute, phase: $0.phase) }
  }
}
