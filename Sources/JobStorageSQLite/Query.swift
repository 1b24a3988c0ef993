/// Every statement that is used more than once. Parameters are bound in the order in which they are numbered.
enum Query: Int, CaseIterable {
  case begin, commit, rollback
  // A job's own rows.
  case insertJob, moveJob, deleteJob, jobBySerial, jobByID, recordBySerial
  case readTimeline, writeTimeline
  case insertInstructions, replaceInstructions, deleteInstructions
  case writeError, errorWords, deleteError
  // Where it stands.
  case enterQueue, leaveQueue, leaveQueueUpTo, firstOfLine, lastOfLine, claimable
  case enterDelayed, leaveDelayed, firstDelayed, dueJobs, delayedJobs
  case enterLease, renewLease, leaveLease
  case enterFinished, leaveFinished, oldestFinished
  // Looking through jobs.
  case newestJobs, oldestJobs, newestFinishedInState, oldestFinishedInState
  case serialsInQueue, serialsDelayed, serialsInState, serialsOfPrefix
  // What is kept about all of them.
  case writeTotals, writePhaseCounts, addPhase, pausePipeline, pausePhase
  case readMetrics, writeMetrics, metricsOfMinutes, deleteMetrics

  /// Those of `JobHead.init`.
  static let headColumns = """
    j.serial, j.id, j.state, j.phase, j.priority, j.place, j.attempt, j.failures, j.crashes, j.enqueued_at, \
    j.updated_at, j.queued_at, j.due_at, j.size, j.timeline_count
    """

  var sql: String {
    switch self {
    case .begin: "BEGIN IMMEDIATE"
    case .commit: "COMMIT"
    case .rollback: "ROLLBACK"
    case .writeTotals:
      "UPDATE store SET succeeded = ?, cancelled = ?, finished_bytes = ?, last_serial = ?, last_token = ?"
    case .writePhaseCounts: "UPDATE phases SET waiting = ?, delayed = ?, running = ?, dead = ? WHERE key = ?"
    case .addPhase: "INSERT INTO phases VALUES (?, ?, 0, 0, 0, 0, 0)"
    case .pausePipeline: "UPDATE store SET paused = ?"
    case .pausePhase: "UPDATE phases SET paused = ? WHERE key = ?"
    case .readMetrics: "SELECT * FROM metrics WHERE minute = ? AND phase = ?"
    case .writeMetrics: "REPLACE INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    case .metricsOfMinutes: "SELECT * FROM metrics WHERE minute BETWEEN ? AND ?"
    case .deleteMetrics: "DELETE FROM metrics WHERE minute < ?"
    default: rowSQL ?? placeSQL ?? scanSQL
    }
  }
}
