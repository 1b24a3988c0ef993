internal import JobStorage
internal import PipelineModel

extension Session {
  /// Opens the file, makes or migrates what is in it, and makes it hold `pipeline`.
  static func open(
    _ address: SQLiteAddress, _ pipeline: PipelineDefinition, now: Timestamp
  ) throws(StoreError) -> Session {
    let connection = try storeErrors("open", address.text) { () throws(SQLiteFailure) in
      try Connection(file: address.file, busyTimeoutMilliseconds: address.busyTimeoutMilliseconds)
    }
    let version = try Schema.version(of: connection, address: address.text)
    guard try storeErrors("open", address.text, { () throws(SQLiteFailure) in try prepare(connection, address) }) else {
      throw StoreError(
        .misconfigured, operation: "open",
        message: "\(address.text): its file system cannot share memory between programs, as the write-ahead log "
          + "needs; choose a local disk")
    }
    let (kept, known, tally) = try storeErrors("open", address.text) {
      () throws(SQLiteFailure) -> (String?, [PhaseName], Tally) in
      try Schema.migrate(connection, from: version)
      if address.isFullySynchronous { try connection.flushLog() }
      return (try storedName(connection), try storedPhases(connection), try storedTally(connection))
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
    let session = Session(connection, keys: keys, tally: tally, isFullySynchronous: address.isFullySynchronous)
    try storeErrors("open", address.text) { () throws(SQLiteFailure) in
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
    // Pages that every turn writes are copied into the file once per 16 MiB of log.
    try connection.execute("PRAGMA wal_autocheckpoint = 4096")
    try connection.execute("PRAGMA journal_size_limit = \(64 << 20)")
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

  private static func storedTally(_ connection: Connection) throws(SQLiteFailure) -> Tally {
    var tally = Tally()
    tally.phases = try connection.rows(of: "SELECT waiting, delayed, running, dead FROM phases ORDER BY key") {
      PhaseCounts(waiting: $0.int(0), delayed: $0.int(1), running: $0.int(2), dead: $0.int(3))
    }
    let totals = try connection.value(
      of: "SELECT succeeded, cancelled, finished_bytes, last_serial, last_token FROM store"
    ) {
      Tally.Totals(
        succeeded: $0.int(0), cancelled: $0.int(1), finishedBytes: $0.int(2), lastSerial: $0.int64(3),
        lastToken: $0.bits(4))
    }
    tally.totals = totals ?? Tally.Totals()
    return tally
  }

  private func adopt(_ pipeline: PipelineDefinition, isNew: Bool, knownPhases: Int) throws(SQLiteFailure) {
    guard isNew || keys.names.count > knownPhases else { return }
    try transaction { () throws(SQLiteFailure) in
      if isNew {
        // The name's rule leaves nothing to quote.
        try connection.execute("INSERT INTO store VALUES ('\(pipeline.name)', 0, 0, 0, 0, 0, 0)")
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
        until: row.moment(JobHead.columnCount + 2), claimedAt: row.moment(JobHead.columnCount + 3))
    }
    for lease in held {
      leases.add(lease)
      tally.totals.lastToken = max(tally.totals.lastToken, lease.token.number)
    }
    lastFinished = try connection.value(of: "SELECT max(place) FROM finished") { $0.int64(0) } ?? 0
  }

  private static let leasesSQL = """
    SELECT \(Query.headColumns), l.token, l.worker, l.until, l.claimed_at
    FROM leases l CROSS JOIN jobs j ON j.serial = l.serial
    """
}
