internal import JobStorage
internal import PipelineModel

extension SQLiteSession {
  /// Opens the file, makes or migrates what is in it, and makes it hold `pipeline`.
  static func open(
    _ address: SQLiteAddress, _ database: DatabaseFile, _ pipeline: PipelineDefinition, gate: LogGate, now: Timestamp
  ) throws(StoreError) -> SQLiteSession {
    let connection = try storeErrors("open", address) { () throws(SQLiteFailure) in
      try Connection(file: database.path, busyTimeoutMilliseconds: address.busyTimeoutMilliseconds)
    }
    let version = try Schema.version(of: connection, address: address)
    guard try storeErrors("open", address, { () throws(SQLiteFailure) in try prepare(connection, address) }) else {
      throw StoreError(
        .misconfigured, operation: "open",
        message: "\(address.text): its file system cannot share memory between programs, as the write-ahead log "
          + "needs; choose a local disk")
    }
    let (kept, known, tally) = try storeErrors("open", address) {
      () throws(SQLiteFailure) -> (String?, [PhaseName], Tally) in
      try Schema.migrate(connection, from: version)
      if address.isFullySynchronous { try connection.flushLog() }
      // On a full disk nothing can be added to the log, but it can begin anew.
      _ = connection.writeBackLog()
      return (try storedName(connection), try storedPhases(connection), try Tally(stored: connection))
    }
    if let kept, kept != pipeline.name {
      throw StoreError(
        .misconfigured, operation: "open",
        message: "\(address.text): holds pipeline '\(kept)', not '\(pipeline.name)'; give each pipeline its own file")
    }
    let keys = PhaseKeys(known: known, pipeline: pipeline)
    try keys.refuseLeftovers(counts: tally.phases, pipeline: pipeline.name, address: address.text)
    guard keys.names.count <= QueuePlace.maximumPhaseKeys else {
      throw StoreError(
        .misconfigured, operation: "open",
        message: "\(address.text): has seen \(keys.names.count) phases, more than \(QueuePlace.maximumPhaseKeys) in "
          + "its life; start a new file")
    }
    let session = SQLiteSession(
      connection, keys: keys, tally: tally, isFullySynchronous: address.isFullySynchronous,
      log: LogKeeper(connection, gate, database))
    try storeErrors("open", address) { () throws(SQLiteFailure) in
      try session.adopt(pipeline, isNew: kept == nil, knownPhases: known.count)
      try session.remember(now: now)
    }
    return session
  }

  /// - Returns: false where there can be no write-ahead log.
  private static func prepare(_ connection: Connection, _ address: SQLiteAddress) throws(SQLiteFailure) -> Bool {
    guard !connection.isReadOnly else { throw SQLiteFailure.readOnly }
    let mode = try connection.value(of: "PRAGMA journal_mode = WAL") { $0.text(0) }
    guard mode == "wal" else { return false }
    // FULL would flush the log within each commit; where it is to be flushed, `flushLog` does so after the jobs that a
    // turn claimed are on their way. NORMAL still flushes around checkpoints, so that the file is never damaged.
    try connection.execute("PRAGMA synchronous = NORMAL")
    // 16 MiB of pages, where SQLite has 2: the index of ids is hit everywhere where clients choose them. No more, since a
    // cache that holds all of the file would grow with the queue, and what it misses the kernel's page cache has.
    try connection.execute("PRAGMA cache_size = -16384")
    // See LogKeeper.
    connection.watchLog()
    try connection.execute("PRAGMA journal_size_limit = \(32 << 20)")
    if let bytes = address.maximumBytes {
      let pageSize = try connection.value(of: "PRAGMA page_size") { $0.int64(0) } ?? 4_096
      try connection.execute("PRAGMA max_page_count = \(min(bytes / max(1, pageSize), Int64(UInt32.max) - 1))")
    }
    return true
  }

  private static func storedName(_ connection: Connection) throws(SQLiteFailure) -> String? {
    try connection.value(of: "SELECT pipeline FROM store") { $0.text(0) }
  }

  private static func storedPhases(_ connection: Connection) throws(SQLiteFailure) -> [PhaseName] {
    try connection.rows(of: "SELECT name FROM phases ORDER BY key") { (row) throws(SQLiteFailure) in
      guard let name = PhaseName(text: row.text(0)) else {
        throw SQLiteFailure.unreadable("a phase has the name '\(row.text(0))'")
      }
      return name
    }
  }

  private func adopt(_ pipeline: PipelineDefinition, isNew: Bool, knownPhases: Int) throws(SQLiteFailure) {
    guard isNew || keys.names.count > knownPhases else { return }
    try transaction { () throws(SQLiteFailure) in
      if isNew {
        // The name's rule leaves nothing to quote.
        try connection.execute(
          """
          INSERT INTO store(pipeline, paused, last_token, last_serial, succeeded, cancelled, finished_bytes)
          VALUES ('\(pipeline.name)', 0, 0, 0, 0, 0, 0)
          """)
      }
      for (key, name) in keys.names.enumerated().dropFirst(knownPhases) {
        try connection.statement(.addPhase).bind(key).bind(name.text).run()
        tally.phases.append(PhaseCounts())
      }
    }
  }

  /// Fills what is kept in memory from what is stored.
  private func remember(now: Timestamp) throws(SQLiteFailure) {
    // A clock that is absurdly far ahead must not use up the tokens.
    let floor = UInt64(max(0, min(now.milliseconds, 1 << 52))) * 1_024
    tally.totals.lastToken = max(tally.totals.lastToken, floor)
    let held = try connection.rows(of: Self.leasesSQL) { [self] (row) throws(SQLiteFailure) in
      let head = try head(row)
      guard let worker = WorkerID(row.text(JobHead.columnCount + 1)) else {
        throw SQLiteFailure.unreadable("the worker of job '\(head.id)' has a wrong name")
      }
      return Lease(
        head, token: LeaseToken(row.bits(JobHead.columnCount)), worker: worker,
        claimedAt: row.moment(JobHead.columnCount + 2))
    }
    for lease in held {
      guard lease.token.number < Tally.endOfTokens else {
        throw SQLiteFailure.unreadable("job '\(lease.head.id)' has a token that was never given")
      }
      leases.add(lease)
      tally.totals.lastToken = max(tally.totals.lastToken, lease.token.number)
    }
    lastFinished = try lastPlace(in: FinishedPlaces.other) ?? lastFinished
    lastDead = try lastPlace(in: FinishedPlaces.dead) ?? lastDead
  }

  private func lastPlace(in places: ClosedRange<Int64>) throws(SQLiteFailure) -> Int64? {
    let range = "\(places.lowerBound) AND \(places.upperBound)"
    return try connection.value(
      of: "SELECT place FROM finished WHERE place BETWEEN \(range) ORDER BY place DESC LIMIT 1"
    ) {
      $0.int64(0)
    }
  }

  private static let leasesSQL = """
    SELECT \(Query.headColumns), l.token, l.worker, l.claimed_at
    FROM leases l CROSS JOIN jobs j ON j.serial = l.serial
    """
}
