public import JobStorage
public import PipelineModel

/// Keeps the jobs of one pipeline in one SQLite database, for one coordinator on the same machine.
///
/// Beside PATH stand PATH-wal and PATH-shm, which belong to the database and must be kept with it after a crash, and
/// PATH.lock, whose kernel lock makes its holder the owner until `close` or the end of the process. The file does not
/// shrink; the room of deleted jobs is used again.
///
/// A turn is one transaction. With `synchronous=full` (the default) it survives a power cut once `flush` has answered, and
/// every other change once its call has; with `normal` the last of them may be missing then, never parts of one.
///
/// After any `StoreError` but `.misconfigured` of `apply`, `flush` and `setPaused` the database is closed and must be opened
/// again; the lock is kept meanwhile. Used by one thread at a time.
public final class SQLiteJobStore: JobStore {
  public var address: String { place.text }

  private let place: SQLiteAddress
  private var lock: OwnerLock?
  private var session: Session?

  /// Touches nothing yet.
  ///
  /// - Parameter uri: `sqlite:PATH`, and after `?`, joined by `&`: `synchronous=full` or `normal`; `busy_timeout=` how
  ///   many milliseconds to wait for other programs that use the file (5000); `max_bytes=` how large the file may grow,
  ///   its log not counted, before writes are refused as if the disk were full.
  /// - Throws: `.misconfigured` where `uri` is not such an address.
  public init(uri: String) throws(StoreError) { place = try SQLiteAddress(uri: uri) }

  public func open(_ pipeline: PipelineDefinition, owner: String, now: Timestamp) throws(StoreError) {
    close()
    try place.refuseFolder()
    let lock = try OwnerLock(place, owner: owner)
    session = try Session.open(place, pipeline, now: now)
    self.lock = lock
  }

  public func close() {
    session?.connection.close()
    session = nil
    lock = nil
  }

  public func keepOwnership(now: Timestamp) throws(StoreError) {
    _ = try opened("keepOwnership")
    guard let lock, lock.isStillThere else {
      closeSession()
      throw StoreError(
        .ownedByAnother, operation: "keepOwnership",
        message: "\(address): its lock file was removed or replaced while in use; see that one coordinator alone "
          + "uses the database")
    }
  }

  public func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult {
    try turn.refuseUnknownPhases(opened("apply").keys, address: address)
    return try perform("apply") { (session) throws(SQLiteFailure) in try session.apply(turn) }
  }

  public var needsFlush: Bool { place.isFullySynchronous }

  public func flush() throws(StoreError) {
    try perform("flush") { (session) throws(SQLiteFailure) in try session.connection.flushLog() }
  }

  public func runningJobs() throws(StoreError) -> [RunningJob] { try opened("runningJobs").runningJobs() }

  public func counts() throws(StoreError) -> StoreCounts { try opened("counts").counts() }

  public func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    try perform("job") { (session) throws(SQLiteFailure) in try session.record(id) }
  }

  public func jobs(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> JobPage {
    try perform("jobs") { (session) throws(SQLiteFailure) in
      try session.jobs(matching: filter, after: cursor, limit: limit)
    }
  }

  public func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    try perform("cancel") { (session) throws(SQLiteFailure) in try session.cancel(id, now: now) }
  }

  public func requeue(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> [Int: Int] {
    try perform("requeue") { (session) throws(SQLiteFailure) in
      try session.requeue(matching: filter, limit: limit, now: now)
    }
  }

  public func delete(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> Int {
    try perform("delete") { (session) throws(SQLiteFailure) in try session.delete(matching: filter, limit: limit) }
  }

  public func prune(
    _ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp
  ) throws(StoreError) -> Int {
    try perform("prune") { (session) throws(SQLiteFailure) in
      try session.prune(policy, metricsBefore: metricsBefore, limit: limit, now: now)
    }
  }

  public func setPaused(_ paused: Bool, phase: Int?) throws(StoreError) {
    let keys = try opened("setPaused").keys
    if let phase, keys.key(ofIndex: phase) == nil {
      throw StoreError(
        .misconfigured, operation: "setPaused",
        message: "\(address): phase \(phase) does not exist; the pipeline has \(keys.phaseCount)")
    }
    try perform("setPaused") { (session) throws(SQLiteFailure) in try session.setPaused(paused, phase: phase) }
  }

  public func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) {
    try perform("paused") { (session) throws(SQLiteFailure) in try session.paused() }
  }

  public func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    try perform("metrics") { (session) throws(SQLiteFailure) in try session.metrics(minutes: range) }
  }

  private func opened(_ operation: String) throws(StoreError) -> Session {
    guard let session else { throw StoreError(.unavailable, operation: operation, message: "\(address): not open") }
    return session
  }

  private func perform<Value>(
    _ operation: String, _ body: (Session) throws(SQLiteFailure) -> Value
  ) throws(StoreError) -> Value {
    let session = try opened(operation)
    do { return try body(session) } catch {
      closeSession()
      throw StoreError(error, operation: operation, address: address)
    }
  }

  private func closeSession() {
    session?.connection.close()
    session = nil
  }
}
