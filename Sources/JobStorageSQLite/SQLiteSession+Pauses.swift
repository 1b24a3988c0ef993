internal import JobStorage
internal import PipelineModel

extension SQLiteSession {
  /// - Parameter phase: one that the pipeline has; nil: the whole pipeline.
  func setPaused(_ paused: Bool, phase: Int?) throws(SQLiteFailure) {
    let value = paused ? 1 : 0
    guard let phase else { return try connection.statement(.pausePipeline).bind(value).run() }
    guard let key = keys.key(ofIndex: phase) else { return }
    try connection.statement(.pausePhase).bind(value).bind(key).run()
  }

  func setTimelineOffset(_ milliseconds: Int64) throws(SQLiteFailure) {
    try connection.statement(.writeTimelineOffset).bind(milliseconds).run()
  }

  func timelineOffset() throws(SQLiteFailure) -> Int64 {
    let stored = try connection.value(of: "SELECT timeline_offset FROM store") { $0.int64(0) } ?? 0
    return min(max(stored, -longestDurationMilliseconds), longestDurationMilliseconds)
  }

  func paused() throws(SQLiteFailure) -> (pipeline: Bool, phases: Set<Int>) {
    let pipeline = try connection.value(of: "SELECT paused FROM store") { $0.int(0) == 1 } ?? false
    let keyed = try connection.rows(of: "SELECT key FROM phases WHERE paused = 1") { $0.int(0) }
    return (pipeline, Set(keyed.compactMap(keys.index(ofKey:))))
  }
}
