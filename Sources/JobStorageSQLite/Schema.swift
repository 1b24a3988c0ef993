internal import JobStorage
internal import PipelineModel

/// The tables, and how older ones become them.
enum Schema {
  /// In the header of every file of ours: "CTub".
  static let applicationID: Int64 = 0x4354_7562

  /// Step n makes version n + 1 of version n; version 0 is an empty file. Released steps are never edited, since files
  /// made by them exist: a change is a new step.
  static let steps: [[String]] = [tables, deadApart, leasesWithoutEnd]

  /// A job has one row in `jobs`, one in `instructions`, and one in the table of the place where it stands, whose key
  /// is `jobs.place`: `queue`, `delayed` (by `due_at`), `leases` (by token) or `finished`.
  private static let tables = [
    "PRAGMA application_id = \(applicationID)",

    // One row. Counts of jobs are kept, never found by looking.
    """
    CREATE TABLE store(
      pipeline TEXT NOT NULL, paused INTEGER NOT NULL, last_token INTEGER NOT NULL, last_serial INTEGER NOT NULL,
      succeeded INTEGER NOT NULL, cancelled INTEGER NOT NULL, finished_bytes INTEGER NOT NULL)
    """,

    // Every phase ever known, by its key; the name is that of PhaseName.
    """
    CREATE TABLE phases(
      key INTEGER PRIMARY KEY, name TEXT NOT NULL, paused INTEGER NOT NULL, waiting INTEGER NOT NULL,
      delayed INTEGER NOT NULL, running INTEGER NOT NULL, dead INTEGER NOT NULL)
    """,

    // A job that is given out has a lease and stays untouched here, as waiting, until something becomes of it: so a
    // claim writes to small tables alone.
    """
    CREATE TABLE jobs(
      serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, phase INTEGER NOT NULL,
      priority INTEGER NOT NULL, place INTEGER NOT NULL, attempt INTEGER NOT NULL, failures INTEGER NOT NULL,
      crashes INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, queued_at INTEGER NOT NULL,
      due_at INTEGER, size INTEGER NOT NULL, timeline_count INTEGER NOT NULL, timeline BLOB NOT NULL)
    """,

    // Apart, since a row is written as a whole: a move must not rewrite a megabyte.
    "CREATE TABLE instructions(serial INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
    """
    CREATE TABLE errors(
      serial INTEGER PRIMARY KEY, type TEXT NOT NULL, message TEXT NOT NULL, location TEXT NOT NULL,
      stderr TEXT NOT NULL)
    """,

    // QueuePlace says what is in a place.
    "CREATE TABLE queue(place INTEGER PRIMARY KEY, serial INTEGER NOT NULL)",
    """
    CREATE TABLE delayed(due_at INTEGER NOT NULL, serial INTEGER NOT NULL, PRIMARY KEY(due_at, serial)) WITHOUT ROWID
    """,
    """
    CREATE TABLE leases(
      token INTEGER PRIMARY KEY, serial INTEGER NOT NULL, worker TEXT NOT NULL, until INTEGER NOT NULL,
      claimed_at INTEGER NOT NULL)
    """,

    // In the order in which jobs came to their end; `FinishedPlaces` says where dead ones stand.
    "CREATE TABLE finished(place INTEGER PRIMARY KEY, state INTEGER NOT NULL, serial INTEGER NOT NULL)",
    "CREATE INDEX finished_by_state ON finished(state, serial)",
    """
    CREATE TABLE metrics(
      minute INTEGER NOT NULL, phase INTEGER NOT NULL, enqueued INTEGER NOT NULL, started INTEGER NOT NULL,
      succeeded INTEGER NOT NULL, failed INTEGER NOT NULL, retried INTEGER NOT NULL, crashed INTEGER NOT NULL,
      dead INTEGER NOT NULL, histograms BLOB NOT NULL, PRIMARY KEY(minute, phase)) WITHOUT ROWID
    """,
  ]

  /// Due times have a timeline of their own, losses are counted, dead jobs are kept apart from those that are pruned by age, and whether a job has an error is known
  /// without a look.
  private static let deadApart = [
    "ALTER TABLE store ADD COLUMN timeline_offset INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN losses INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN has_error INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE store ADD COLUMN dead_bytes INTEGER NOT NULL DEFAULT 0",
    "UPDATE jobs SET has_error = 1 WHERE serial IN (SELECT serial FROM errors)",
    "UPDATE jobs SET place = place + \(FinishedPlaces.dead.lowerBound) WHERE state = \(JobState.dead.rawValue)",
    "UPDATE finished SET place = place + \(FinishedPlaces.dead.lowerBound) WHERE state = \(JobState.dead.rawValue)",
    "UPDATE store SET dead_bytes = (SELECT coalesce(sum(size), 0) FROM jobs WHERE state = \(JobState.dead.rawValue))",
    "UPDATE store SET finished_bytes = finished_bytes - dead_bytes",
  ]

  /// A lease ends with its holder, so it has no end of its own.
  private static let leasesWithoutEnd = ["ALTER TABLE leases DROP COLUMN until"]

  /// The version of what is in the file. Writes nothing, since the file may belong to another program.
  /// - Throws: where it does, or where a later version of ours wrote it.
  static func version(of connection: Connection, address: SQLiteAddress) throws(StoreError) -> Int {
    let (application, version, tables) = try storeErrors("open", address) { () throws(SQLiteFailure) in
      (
        try connection.value(of: "PRAGMA application_id") { $0.int64(0) } ?? 0,
        try connection.value(of: "PRAGMA user_version") { $0.int(0) } ?? 0,
        try connection.value(of: "SELECT count(*) FROM sqlite_schema") { $0.int(0) } ?? 0
      )
    }
    guard application == applicationID || (application == 0 && version == 0 && tables == 0) else {
      throw StoreError(
        .misconfigured, operation: "open",
        message: "\(address.text): is the database of another program; correct the path, or move that file away")
    }
    guard version <= steps.count else {
      throw StoreError(
        .newerSchema, operation: "open",
        message: "\(address.text): written by a later version of carbontube (schema \(version), this one knows "
          + "\(steps.count)); run that version, or give this one a file of its own")
    }
    return version
  }

  /// Each step is done whole or not at all.
  static func migrate(
    _ connection: Connection, from version: Int, steps: [[String]] = Schema.steps
  ) throws(SQLiteFailure) {
    for (number, step) in steps.enumerated().dropFirst(version) {
      try connection.transaction { () throws(SQLiteFailure) in
        for sql in step { try connection.execute(sql) }
        try connection.execute("PRAGMA user_version = \(number + 1)")
      }
    }
  }
}
