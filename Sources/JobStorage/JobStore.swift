public import PipelineModel

/// Keeps the queues, jobs and metrics of one pipeline.
///
/// A store is used by one thread at a time (the coordinator's store lane); calls block until the answer is there, and
/// for a bounded time at most (5 s unless the address says otherwise). It reads no clock: every time is an argument.
/// One contract suite (Tests/JobStorageTests) holds for all stores; a new store is done when it passes.
///
/// Within a phase, jobs of a higher priority go first; equal ones in the order in which they came into the queue.
/// Released jobs go to the front of their priority, in the order of `StoreTurn.settlements`. Delayed jobs come into the
/// queue by due time, those due in the same millisecond as they were enqueued.
///
/// Tokens start, at each `open`, at no less than `now` in milliseconds times 1,024: they rise even where the store
/// lost its latest writes to a power cut.
///
/// Ids, states, phases and tokens are kept as documented on the types; nothing is written for a `.stale` or
/// `.duplicate` answer.
public protocol JobStore: JobReader {
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

  /// What an administrator should change about the store although it works: one line each, for the log. Asked after
  /// `open`.
  var advice: [String] { get }

  /// A reader of its own connection, so that looking never stands in the way of a turn; nil for a store that is asked in
  /// the event loop itself. Asked after `open`; a reader outlives a failure of the store and may be closed at any time.
  func makeReader() throws(StoreError) -> (any JobReader)?

  /// Takes a job out. A running one becomes cancelled at once: its token is stale from now on, and its timeline keeps an
  /// attempt `cancelled` that began with its claim.
  /// - Returns: the state the job had and, where it was running, the lease that was broken; nil: no such job.
  ///   A final state means that nothing was changed.
  func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)?

  /// A requeue of this one job, dead, cancelled or delayed, that has `instructions` from the same write on.
  /// - Returns: the state the job had and what became of it, as of `perform`; nil: no such job. Where the step changed
  ///   nothing, its instructions are what they were.
  func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(StoreError) -> (was: JobState, step: ActionStep)?

  /// One bounded step of an action on all jobs that match: looks at `limit` jobs at most and changes those that are meant.
  /// Jobs that are enqueued after the first step are not touched.
  ///
  /// - `cancel`: as `cancel(_:now:)`, the oldest first.
  /// - `requeue`: puts dead jobs, and cancelled ones where `filter.states` names them, back into the queue of the phase
  ///   they stopped in, counters at zero; delayed jobs become due now where `filter.states` names them, and their counters
  ///   stay. First the dead, then the cancelled, then the delayed, each in the order they were enqueued. Where `filter.id` names the job and `filter.states` nothing, any of the three is meant.
  /// - `delete`: removes jobs that are not running, the oldest first.
  ///
  /// - Parameter cursor: `next` of the step before; nil for the first step.
  func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: String?, limit: Int, now: Timestamp
  ) throws(StoreError) -> ActionStep

  /// Removes finished jobs beyond the policy, oldest first, at most `limit` in one call, and metrics older than
  /// `metricsBefore` (a minute). Dead jobs count by `RetentionPolicy.maximumDead` alone.
  func prune(_ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp) throws(StoreError) -> Int

  /// Marks a phase (nil: the whole pipeline) as paused or resumed; kept over restarts. The coordinator does not claim
  /// from what is paused.
  func setPaused(_ paused: Bool, phase: Int?) throws(StoreError)

  /// What is paused now.
  func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>)

  /// By how many milliseconds the timeline on which due times are told is ahead of the wall clock, as
  /// `setTimelineOffset` left it; 0 in a new store. The coordinator's affair: a store compares due times with
  /// `StoreTurn.promotionTime` alone.
  func timelineOffset() throws(StoreError) -> Int64

  /// Kept over restarts. At most 100 years either way.
  func setTimelineOffset(_ milliseconds: Int64) throws(StoreError)

  /// Gives up ownership and closes. Never fails; the store can be opened again.
  func close()
}

/// Looks at the jobs of a store and changes nothing. Used by one thread at a time.
///
/// Every call is bounded in time and memory, whatever the store holds: what looks at many jobs does so a page at a time. A
/// call that fails, for want of an answer or because one job cannot be read, says nothing about the next.
public protocol JobReader: AnyObject {
  func counts() throws(StoreError) -> StoreCounts

  func job(_ id: JobID) throws(StoreError) -> JobRecord?

  /// The state of each job, in the order of `ids` (1,000 at most); nil for one that is not there.
  func states(of ids: [JobID]) throws(StoreError) -> [JobState?]

  /// A page of at most `limit` jobs whose instructions have `maximumBytes` together (one job at least), newest enqueued
  /// first. Looks at 10,000 jobs at most: where a filter matches rarely the page may be short, or empty, and still have a
  /// `next`.
  /// - Throws: `.badCursor` for a `cursor` that no page gave.
  func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage

  /// Counts the jobs that match among the next `limit` at most; `next` goes on.
  func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep

  /// Metrics of the minutes in `range`, ordered by minute and phase; minutes without events are left out.
  func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics]

  func close()
}

extension JobStore {
  public var answersAtOnce: Bool { false }
  public var needsFlush: Bool { false }
  public func flush() throws(StoreError) {}
  public var advice: [String] { [] }
}

extension JobReader {
  /// A page that is bounded in count alone.
  public func jobs(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> JobPage {
    try jobs(matching: filter, after: cursor, limit: limit, maximumBytes: .max)
  }
}

extension JobStore {
  /// All steps of a requeue at once, `limit` jobs at most in sum: for stores of a known size.
  /// - Returns: how many, by phase.
  package func requeue(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> [Int: Int] {
    var moved: [Int: Int] = [:]
    _ = try performAll(.requeue, matching: filter, limit: limit, now: now) {
      moved.merge($0.requeued, uniquingKeysWith: +)
    }
    return moved
  }

  /// See `requeue`.
  package func delete(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> Int {
    try performAll(.delete, matching: filter, limit: limit, now: now) { _ in }
  }

  private func performAll(
    _ action: FilterAction, matching filter: JobFilter, limit: Int, now: Timestamp, each: (ActionStep) -> Void
  ) throws(StoreError) -> Int {
    var changed = 0
    var cursor: String?
    while changed < limit {
      let step = try perform(action, matching: filter, after: cursor, limit: limit - changed, now: now)
      changed += step.changed
      each(step)
      cursor = step.next
      if cursor == nil { break }
    }
    return changed
  }
}
