internal import PipelineModel

/// Every statement that is used more than once. Parameters are bound in the order in which they are numbered.
enum Query: Int, CaseIterable {
  case begin, beginReading, commit, rollback
  // A job's own rows.
  case insertJob, moveJob, deleteJob, jobBySerial, jobByID, recordBySerial
  case glimpseBySerial, glimpseByID
  case readTimeline, writeTimeline
  case insertInstructions, replaceInstructions, deleteInstructions
  case writeError, errorWords, deleteError
  // Where it stands.
  case enterQueue, leaveQueue, leaveQueueUpTo, firstOfLine, lastOfLine, claimable
  case enterDelayed, leaveDelayed, firstDelayed, dueJobs
  case enterLease, leaveLease, holders
  case enterFinished, leaveFinished, oldestFinished
  // Looking through jobs.
  case newestGlimpses, oldestGlimpses, newestGlimpsesInState, oldestGlimpsesInState
  case serialsInQueue, serialsDelayed, serialsHeld, serialsInState, serialsOfPrefix
  // What is kept about all of them.
  case readTotals, readPhaseCounts, writeTotals, writePhaseCounts, addPhase, pausePipeline, pausePhase,
    writeTimelineOffset
  case readMetrics, writeMetrics, metricsOfMinutes, oldestMetrics, deleteMetrics

  /// Those of `JobHead.init`.
  static let headColumns = """
    j.serial, j.id, j.state, j.phase, j.priority, j.place, j.attempt, j.failures, j.crashes, j.enqueued_at, \
    j.updated_at, j.queued_at, j.due_at, j.size, j.timeline_count, j.losses, j.has_error
    """

  /// Those of `Glimpse.init`. A job that is given out is still `waiting` in its row, but in no queue.
  static let glimpseColumns = """
    j.serial, j.id, j.state, j.phase, j.size, j.has_error, j.state = \(JobState.waiting.rawValue) \
    AND NOT EXISTS(SELECT 1 FROM queue q WHERE q.place = j.place AND q.serial = j.serial), j.updated_at
    """

  var sql: String {
    switch self {
    case .begin: "BEGIN IMMEDIATE"
    case .beginReading: "BEGIN"
    case .commit: "COMMIT"
    case .rollback: "ROLLBACK"
    case .readTotals:
      "SELECT succeeded, cancelled, finished_bytes, dead_bytes, last_serial, last_token FROM store"
    case .readPhaseCounts: "SELECT waiting, delayed, running, dead FROM phases ORDER BY key"
    case .writeTotals:
      """
      UPDATE store SET succeeded = ?, cancelled = ?, finished_bytes = ?, dead_bytes = ?, last_serial = ?, last_token = ?
      """
    case .writePhaseCounts: "UPDATE phases SET waiting = ?, delayed = ?, running = ?, dead = ? WHERE key = ?"
    case .addPhase: "INSERT INTO phases VALUES (?, ?, 0, 0, 0, 0, 0)"
    case .pausePipeline: "UPDATE store SET paused = ?"
    case .pausePhase: "UPDATE phases SET paused = ? WHERE key = ?"
    case .writeTimelineOffset: "UPDATE store SET timeline_offset = ?"
    case .readMetrics: "SELECT * FROM metrics WHERE minute = ? AND phase = ?"
    case .writeMetrics: "REPLACE INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    case .metricsOfMinutes: "SELECT * FROM metrics WHERE minute BETWEEN ? AND ?"
    case .oldestMetrics: "SELECT minute FROM metrics ORDER BY minute LIMIT 1"
    case .deleteMetrics: "DELETE FROM metrics WHERE minute < ?"
    default: rowSQL ?? placeSQL ?? scanSQL
    }
  }
}
