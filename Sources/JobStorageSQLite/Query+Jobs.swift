extension Query {
  /// A job's own rows; nil for statements of another kind.
  var rowSQL: String? {
    switch self {
    case .insertJob:
      """
      INSERT INTO jobs(
        serial, id, state, phase, priority, place, enqueued_at, updated_at, queued_at, due_at, size,
        attempt, failures, crashes, timeline_count, timeline)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7, ?8, ?9, 0, 0, 0, 0, x'')
      ON CONFLICT(id) DO NOTHING
      """
    // Concatenation makes text of blobs without touching a byte; the cast makes it a blob again.
    case .moveJob:
      """
      UPDATE jobs SET state = ?2, phase = ?3, place = ?4, attempt = ?5, failures = ?6, crashes = ?7, updated_at = ?8,
        queued_at = ?9, due_at = ?10, size = ?11, losses = ?12, has_error = ?13, timeline_count = ?14,
        timeline = CAST(timeline || ?15 AS BLOB)
      WHERE serial = ?1
      """
    case .deleteJob: "DELETE FROM jobs WHERE serial = ?"
    case .jobBySerial: "SELECT \(Self.headColumns) FROM jobs j WHERE j.serial = ?"
    case .jobByID: "SELECT \(Self.headColumns) FROM jobs j WHERE j.id = ?"
    case .glimpseBySerial: "SELECT \(Self.glimpseColumns) FROM jobs j WHERE j.serial = ?"
    case .glimpseByID: "SELECT \(Self.glimpseColumns) FROM jobs j WHERE j.id = ?"
    case .recordBySerial:
      """
      SELECT \(Self.headColumns), j.timeline, i.bytes, e.type, e.message, e.location, e.stderr
      FROM jobs j LEFT JOIN instructions i ON i.serial = j.serial LEFT JOIN errors e ON e.serial = j.serial
      WHERE j.serial = ?
      """
    case .readTimeline: "SELECT timeline FROM jobs WHERE serial = ?"
    case .writeTimeline: "UPDATE jobs SET timeline = ?2 WHERE serial = ?1"
    case .insertInstructions: "INSERT INTO instructions VALUES (?, ?)"
    case .replaceInstructions: "UPDATE instructions SET bytes = ?2 WHERE serial = ?1"
    case .deleteInstructions: "DELETE FROM instructions WHERE serial = ?"
    case .writeError: "REPLACE INTO errors VALUES (?, ?, ?, ?, ?)"
    case .errorWords: "SELECT type, message FROM errors WHERE serial = ?"
    case .deleteError: "DELETE FROM errors WHERE serial = ?"
    default: nil
    }
  }

  /// Where jobs stand; nil for statements of another kind.
  var placeSQL: String? {
    switch self {
    case .enterQueue: "INSERT INTO queue VALUES (?, ?)"
    case .leaveQueue: "DELETE FROM queue WHERE place = ?"
    case .leaveQueueUpTo: "DELETE FROM queue WHERE place BETWEEN ? AND ?"
    case .firstOfLine: "SELECT place FROM queue WHERE place BETWEEN ? AND ? ORDER BY place LIMIT 1"
    case .lastOfLine: "SELECT place FROM queue WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1"
    // Here and below CROSS JOIN is SQLite's word for: in the order as written.
    case .claimable:
      """
      SELECT \(Self.headColumns), i.bytes, q.place
      FROM queue q CROSS JOIN jobs j ON j.serial = q.serial LEFT JOIN instructions i ON i.serial = q.serial
      WHERE q.place BETWEEN ? AND ? ORDER BY q.place LIMIT ?
      """
    case .enterDelayed: "INSERT INTO delayed VALUES (?, ?)"
    case .leaveDelayed: "DELETE FROM delayed WHERE due_at = ? AND serial = ?"
    case .firstDelayed: "SELECT due_at FROM delayed ORDER BY due_at, serial LIMIT 1"
    case .enterLease: "INSERT INTO leases VALUES (?, ?, ?, ?)"
    case .leaveLease: "DELETE FROM leases WHERE token = ?"
    case .holders: "SELECT serial, worker, claimed_at FROM leases"
    case .enterFinished: "INSERT INTO finished VALUES (?, ?, ?)"
    case .leaveFinished: "DELETE FROM finished WHERE place = ?"
    default: nil
    }
  }

  /// Looking through jobs.
  var scanSQL: String {
    switch self {
    case .dueJobs:
      """
      SELECT \(Self.headColumns) FROM delayed d CROSS JOIN jobs j ON j.serial = d.serial
      WHERE d.due_at <= ? ORDER BY d.due_at, d.serial LIMIT ?
      """
    case .oldestFinished:
      """
      SELECT \(Self.headColumns) FROM finished f CROSS JOIN jobs j ON j.serial = f.serial
      WHERE f.place BETWEEN ? AND ? ORDER BY f.place LIMIT ?
      """
    case .newestGlimpses:
      "SELECT \(Self.glimpseColumns) FROM jobs j WHERE j.serial > ? AND j.serial < ? ORDER BY j.serial DESC"
    case .oldestGlimpses:
      "SELECT \(Self.glimpseColumns) FROM jobs j WHERE j.serial > ? AND j.serial < ? ORDER BY j.serial"
    case .newestGlimpsesInState: glimpsesInState + " DESC"
    case .oldestGlimpsesInState: glimpsesInState
    case .serialsInQueue: "SELECT serial FROM queue WHERE place BETWEEN ? AND ?"
    case .serialsDelayed: "SELECT serial FROM delayed"
    case .serialsHeld: "SELECT serial FROM leases"
    case .serialsInState: "SELECT serial FROM finished WHERE state = ?"
    case .serialsOfPrefix: "SELECT serial FROM jobs WHERE id >= ? AND id < ? LIMIT ?"
    default: ""
    }
  }

  private var glimpsesInState: String {
    """
    SELECT \(Self.glimpseColumns) FROM finished f CROSS JOIN jobs j ON j.serial = f.serial
    WHERE f.serial > ?1 AND f.serial < ?2 AND f.state = ?3 ORDER BY f.serial
    """
  }
}
