internal import JobStorage
internal import PipelineModel

/// A job without what is large: its row in `jobs`, apart from the timeline.
struct JobHead {
  let serial: Int64
  let id: JobID
  /// In the table a running job is still waiting; here it is running.
  var state: JobState
  var phaseKey: Int
  let priority: Int
  /// Where it stands in `queue` or `finished`; without meaning for delayed and running jobs.
  var place: Int64
  var counters: JobCounters
  let enqueuedAt: Timestamp
  var updatedAt: Timestamp
  var queuedAt: Timestamp
  var dueAt: Timestamp?
  /// Bytes of instructions.
  var size: Int
  /// How many attempts the timeline holds.
  var timelineCount: Int
  /// Whether there is a row in `errors`.
  var hasError: Bool

  /// What a job can have of anything that is counted, or of bytes: numbers that are added to without a look.
  static let counts = 0...(1 << 31)
  static let sizes = 0...(1 << 40)

  /// The column that follows those of `Query.headColumns`.
  static let columnCount: Int32 = 17

  init(_ row: Statement) throws(SQLiteFailure) {
    guard let id = JobID(row.text(1)), let state = UInt8(exactly: row.int64(2)).flatMap(JobState.init(rawValue:)) else {
      throw SQLiteFailure.unreadable("job \(row.int64(0)) has a wrong id or state")
    }
    serial = row.int64(0)
    self.id = id
    self.state = state
    phaseKey = row.int(3)
    priority = row.int(4, in: NewJob.priorities)
    place = row.int64(5)
    counters = JobCounters(
      attempt: row.int(6, in: Self.counts), failures: row.int(7, in: Self.counts),
      crashes: row.int(8, in: Self.counts), losses: row.int(15, in: Self.counts))
    enqueuedAt = row.moment(9)
    updatedAt = row.moment(10)
    queuedAt = row.moment(11)
    dueAt = row.isNull(12) ? nil : row.moment(12)
    size = row.int(13, in: Self.sizes)
    timelineCount = row.int(14, in: Self.counts)
    hasError = row.int64(16) != 0
  }

  init(_ new: NewJob, serial: Int64, phaseKey: Int, now: Timestamp) {
    self.serial = serial
    id = new.id
    state = .waiting
    self.phaseKey = phaseKey
    priority = min(max(new.priority, NewJob.priorities.lowerBound), NewJob.priorities.upperBound)
    place = 0
    counters = .zero
    enqueuedAt = now
    updatedAt = now
    queuedAt = now
    size = new.instructions.count
    timelineCount = 0
    hasError = false
  }

  /// As it is from a claim on.
  mutating func beRunning(since now: Timestamp) {
    state = .running
    counters = JobLifecycle.claim(counters)
    updatedAt = now
  }

  func standing(_ keys: PhaseKeys, under token: LeaseToken? = nil) -> Standing {
    Standing(state: state, phase: keys.index(ofKey: phaseKey), token: token, counters: counters)
  }
}

/// A running job: its row in `leases`, and its head as it is while it runs.
struct Lease {
  var head: JobHead
  let token: LeaseToken
  let worker: WorkerID
  var claimedAt: Timestamp { head.updatedAt }

  /// - Parameter head: of the job as it waited.
  init(_ head: JobHead, token: LeaseToken, worker: WorkerID, claimedAt: Timestamp) {
    self.head = head
    self.head.beRunning(since: claimedAt)
    self.token = token
    self.worker = worker
  }

  func running(_ keys: PhaseKeys) -> RunningJob {
    RunningJob(
      id: head.id, token: token, phase: keys.shownIndex(ofKey: head.phaseKey), worker: worker,
      attempt: head.counters.attempt, failures: head.counters.failures, crashes: head.counters.crashes,
      losses: head.counters.losses, claimedAt: claimedAt)
  }
}

/// Every lease there is, in memory: the store has one owner, so what is here is what is in the table.
struct Leases {
  private var byToken: [LeaseToken: Lease] = [:]
  private var tokens: [Int64: LeaseToken] = [:]

  var count: Int { byToken.count }
  var all: some Collection<Lease> { byToken.values }

  subscript(token: LeaseToken) -> Lease? { byToken[token] }

  subscript(serial serial: Int64) -> Lease? { tokens[serial].flatMap { byToken[$0] } }

  mutating func add(_ lease: Lease) {
    byToken[lease.token] = lease
    tokens[lease.head.serial] = lease.token
  }

  /// - Returns: the token that the job was running under.
  mutating func remove(serial: Int64) -> LeaseToken? {
    guard let token = tokens.removeValue(forKey: serial) else { return nil }
    byToken[token] = nil
    return token
  }
}
