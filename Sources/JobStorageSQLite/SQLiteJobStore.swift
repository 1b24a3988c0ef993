public import JobStorage
public import PipelineModel

/// Keeps the jobs of one pipeline in one SQLite database, for one coordinator on the same machine.
///
/// Beside PATH (where it is a link: beside what it leads to) stand PATH-wal and PATH-shm, which belong to the database and
/// must be kept with it after a crash, and PATH.lock. Kernel locks on the latter and on the database itself make their
/// holder the owner until `close` or the end of the process. The file does not shrink; the room of deleted jobs is used
/// again.
///
/// A turn is one transaction. With `synchronous=full` (the default) it survives a power cut once `flush` has answered, and
/// every other change but `prune` once its call has; with `normal` the last of them may be missing then, never parts of one.
///
/// Where the database or its log is moved, replaced or removed meanwhile, nothing is confirmed any more: calls that write
/// throw `.refusesWrites`, and so does `open`, until the same file stands there again or the store was closed.
///
/// After any `StoreError` of a call that writes, but `.misconfigured` and `.badCursor`, the database is closed and must be
/// opened again; the locks are kept meanwhile. Used by one thread at a time; readers by another.
public final class SQLiteJobStore: JobStore {
  public var address: String { place.text }

  let place: SQLiteAddress
  private var lock: OwnerLock?
  private var session: SQLiteSession?
  private var files: ServedFiles?
  private let gate = LogGate()

  /// Touches nothing yet.
  ///
  /// - Parameter uri: `sqlite:PATH`, and after `?`, joined by `&`: `synchronous=full` or `normal`; `busy_timeout=` how
  ///   many milliseconds to wait for other programs that use the file (5000); `max_bytes=` how large the file may grow,
  ///   its log not counted, before writes are refused as if the disk were full.
  /// - Throws: `.misconfigured` where `uri` is not such an address.
  public init(uri: String) throws(StoreError) { place = try SQLiteAddress(uri: uri) }

  deinit { close() }

  public func open(_ pipeline: PipelineDefinition, owner: String, now: Timestamp) throws(StoreError) {
    try saveLog("open")
    closeSession()
    let lock = try owned(by: owner)
    session = try SQLiteSession.open(place, lock.database, pipeline, gate: gate, now: now)
    files = ServedFiles(place, lock.database)
    self.lock = lock
  }

  /// The locks that are held, where they still are those of the database; else new ones.
  private func owned(by owner: String) throws(StoreError) -> OwnerLock {
    if let lock {
      if let loss = ServedFiles.loss(of: lock.database, place) { throw refusal("open", loss) }
      if lock.isStillThere { return lock }
      self.lock = nil
    }
    try place.refuseWhatIsNoFile()
    let database = try DatabaseFile.open(place)
    try place.refuseWhatIsInTheWay(of: database)
    return try OwnerLock(place, database, owner: owner)
  }

  public func close() {
    closeSession()
    lock = nil
  }

  public func keepOwnership(now: Timestamp) throws(StoreError) {
    let session = try opened("keepOwnership")
    try refuseLostFiles("keepOwnership")
    guard let lock, lock.isStillThere else {
      closeSession()
      throw StoreError(
        .ownedByAnother, operation: "keepOwnership",
        message: "\(address): its lock file was removed or replaced while in use; see that one coordinator alone "
          + "uses the database")
    }
    session.tendLog()
  }

  public var advice: [String] {
    guard let names = lock?.database.nameCount, names > 1 else { return [] }
    return [
      "\(address): the database has \(names) names (hard links), but its log stands beside this one alone; remove the others"
    ]
  }

  public func makeReader() throws(StoreError) -> (any JobReader)? {
    let keys = try opened("makeReader").keys
    return lock.map { SQLiteJobReader(place, $0.database, keys: keys, gate: gate) }
  }

  // MARK: Writing

  public func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    try turn.refuseUnknownPhases(opened("apply").keys, address: address)
    // What is confirmed after a flush is looked after there.
    return try write("apply", confirms: !needsFlush) { (session) throws(SQLiteFailure) in try session.apply(turn) }
  }

  public var needsFlush: Bool { place.isFullySynchronous }

  public func flush() throws(StoreError) {
    try write("flush") { (session) throws(SQLiteFailure) in try session.connection.flushLog() }
  }

  public func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    try write("cancel") { (session) throws(SQLiteFailure) in try session.cancel(id, now: now) }
  }

  public func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(StoreError) -> (was: JobState, step: ActionStep)? {
    try write("requeue") { (session) throws(SQLiteFailure) in
      try session.requeue(id, with: instructions, now: now)
    }
  }

  public func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: String?, limit: Int, now: Timestamp
  ) throws(StoreError) -> ActionStep {
    let start = try cursor.map { text throws(StoreError) in try ActionCursor(text) }
    return try write(action.rawValue) { (session) throws(SQLiteFailure) in
      try session.perform(action, matching: filter, after: start, limit: limit, now: now)
    }
  }

  public func prune(
    _ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp
  ) throws(StoreError) -> Int {
    try write("prune") { (session) throws(SQLiteFailure) in
      try session.prune(policy, metricsBefore: metricsBefore, limit: limit, now: now)
    }
  }

  public func setTimelineOffset(_ milliseconds: Int64) throws(StoreError) {
    try write("setTimelineOffset") { (session) throws(SQLiteFailure) in try session.setTimelineOffset(milliseconds) }
  }

  public func setPaused(_ paused: Bool, phase: Int?) throws(StoreError) {
    let keys = try opened("setPaused").keys
    if let phase, keys.key(ofIndex: phase) == nil {
      throw StoreError(
        .misconfigured, operation: "setPaused",
        message: "\(address): phase \(phase) does not exist; the pipeline has \(keys.phaseCount)")
    }
    try write("setPaused") { (session) throws(SQLiteFailure) in try session.setPaused(paused, phase: phase) }
  }

  /// Nothing is confirmed that went to files which nobody will find.
  private func write<Value>(
    _ operation: String, confirms: Bool = true, _ body: (SQLiteSession) throws(SQLiteFailure) -> Value
  ) throws(StoreError) -> Value {
    let session = try opened(operation)
    let value: Value
    do throws(SQLiteFailure) { value = try body(session) } catch {
      // What SQLite says of files that are not its own any more would be wrong.
      try refuseLostFiles(operation)
      closeSession()
      throw StoreError(error, operation: operation, address: place)
    }
    if confirms { try refuseLostFiles(operation) }
    return value
  }

  private func refuseLostFiles(_ operation: String) throws(StoreError) {
    guard let loss = files?.loss else { return }
    try saveLog(operation)
    closeSession()
    throw refusal(operation, loss)
  }

  /// A file that was moved is then whole by itself, and one whose log was removed loses nothing. Until it succeeds the
  /// connection stays, since nobody else can reach that log.
  private func saveLog(_ operation: String) throws(StoreError) {
    guard let session, let loss = files?.loss else { return }
    _ = gate.close(isUrgent: true)
    defer { gate.open() }
    do throws(SQLiteFailure) { try session.connection.emptyLog() } catch {
      guard error.isTransient else { return }
      let reason = StoreError(error, operation: operation, address: place).message
      throw StoreError(
        .refusesWrites, operation: operation, message: "\(reason); its log cannot be saved before, although \(loss)")
    }
  }

  private func refusal(_ operation: String, _ loss: String) -> StoreError {
    StoreError(.refusesWrites, operation: operation, message: "\(address): \(loss)")
  }

  func opened(_ operation: String) throws(StoreError) -> SQLiteSession {
    guard let session else { throw StoreError(.unavailable, operation: operation, message: "\(address): not open") }
    return session
  }

  private func closeSession() {
    guard let session else { return }
    session.connection.close()
    self.session = nil
    files = nil
    gate.noteNewSession()
  }
}
