public import PipelineModel

/// Keeps the queues, jobs and metrics of one pipeline.
///
/// A store is used by one thread at a time (the coordinator's store lane); calls block until the answer is there, and
/// for a bounded time at most (5 s unless the address says otherwise). It reads no clock: every time is an argument.
/// One contract suite (Tests/JobStorageTests) holds for all stores; a new store is done when it passes.
///
/// Within a phase, jobs of a higher priority go first; equal ones in the order in which they came into the queue.
/// Released jobs go to the front of their priority, in the order of `StoreTurn.releases`. Delayed jobs come into the
/// queue by due time, those due in the same millisecond as they were enqueued.
///
/// Tokens start, at each `open`, at no less than `now` in milliseconds times 1,024: they rise even where the store
/// lost its latest writes to a power cut.
///
/// Ids, states, phases and tokens are kept as documented on the types; nothing is written for a `.stale` or
/// `.duplicate` answer.
public protocol JobStore: AnyObject {
  /// Where the jobs are, for logs and pages. Never contains a password.
  var address: String { get }

  /// True for a store that has nothing to wait for: it is then called in the event loop itself.
  var answersAtOnce: Bool { get }

  /// Connects, creates or migrates the schema, takes ownership, and makes the store hold `pipeline`.
  ///
  /// Called again after an error: reconnects. Jobs of a stored definition whose phases differ are moved by `job_type`
  /// (and, for a repeated one, its occurrence); where unfinished jobs stand in a phase that is gone, nothing is
  /// changed and `.definitionChanged` is thrown.
  ///
  /// - Parameter owner: names this coordinator's run. Ownership ends when the process dies (SQLite: a lock of the
  ///   kernel's) or within 1.5 s of its last `apply` or `keepOwnership` (Redis: a key with a time to live).
  func open(_ pipeline: PipelineDefinition, owner: String, now: Timestamp) throws(StoreError)

  /// Does the whole turn. SQLite: all or nothing. Redis: in the turn's order, each item all or nothing.
  ///
  /// What it wrote outlives this process at once, and a loss of power where `needsFlush` is false.
  func apply(_ turn: StoreTurn) throws(StoreError) -> StoreTurnResult

  /// True for a store whose turns outlive a loss of power only after `flush`.
  var needsFlush: Bool { get }

  /// Makes what `apply` wrote outlive a loss of power. Called after each `apply` before anything of it is acknowledged;
  /// the jobs it claimed may be at work by then, since a lost claim, or a lost step from one phase to the next, only means
  /// that something is done once more.
  func flush() throws(StoreError)

  /// Proves that the owner is alive; called at least every 500 ms while nothing else is.
  func keepOwnership(now: Timestamp) throws(StoreError)

  /// Every lease the store knows of.
  func runningJobs() throws(StoreError) -> [RunningJob]

  func counts() throws(StoreError) -> StoreCounts

  func job(_ id: JobID) throws(StoreError) -> JobRecord?

  /// A page of at most `limit` jobs, newest enqueued first. Memory is bounded by the page, not by the store; where a
  /// filter matches rarely the page may be short and still have a `next`. A `cursor` that no page gave yields an
  /// empty page.
  func jobs(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> JobPage

  /// Takes a job out. A running one becomes cancelled at once: its token is stale from now on.
  /// - Returns: the state the job had and, where it was running, the lease that was broken; nil: no such job.
  ///   A final state means that nothing was changed.
  func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)?

  /// Puts dead jobs that match, and cancelled ones where `filter.states` names them, back into the queue of the phase
  /// they stopped in, counters at zero. Delayed jobs that match become due now, where `filter.states` names them;
  /// their counters stay. First the dead, then the cancelled, both in the order they were enqueued, then the delayed
  /// in the order they are due.
  /// - Returns: how many, by phase; at most `limit` in one call.
  func requeue(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> [Int: Int]

  /// Removes jobs that match and are not running; at most `limit` in one call.
  func delete(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> Int

  /// Removes finished jobs beyond the policy, oldest first, at most `limit` in one call, and metrics older than
  /// `metricsBefore` (a minute).
  func prune(_ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp) throws(StoreError) -> Int

  /// Marks a phase (nil: the whole pipeline) as paused or resumed; kept over restarts. The coordinator does not claim
  /// from what is paused.
  func setPaused(_ paused: Bool, phase: Int?) throws(StoreError)

  /// What is paused now.
  func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>)

  /// Metrics of the minutes in `range`, ordered by minute and phase; minutes without events are left out.
  func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics]

  /// Gives up ownership and closes. Never fails; the store can be opened again.
  func close()
}

extension JobStore {
  public var answersAtOnce: Bool { false }
  public var needsFlush: Bool { false }
  public func flush() throws(StoreError) {}
}
