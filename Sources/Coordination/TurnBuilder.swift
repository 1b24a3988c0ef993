internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// The turn that is being gathered while the store is busy with the one before, and what is known of the queues that turns
/// fill and empty. A pure value: the coordinator sends what `take` returns, and tells what the store made of it.
struct TurnBuilder {
  /// New jobs that may wait for the store before more are refused as too much at once.
  static let enqueueBacklog = 20_000
  /// Delayed jobs that one turn brings back into their queues.
  static let promotedAtOnce = 1_000

  private var pending: PendingTurn
  /// Of the turn that is being gathered.
  private(set) var number = 1
  /// A turn is on its way that has not been applied yet, with these metrics.
  private(set) var isInStore = false
  private var metricsInStore: [PhaseMetrics] = []
  /// Jobs waiting in each phase's queue: never fewer than there are, corrected by claims that come back short.
  private(set) var queued: [Int]
  private(set) var paused: (pipeline: Bool, phases: Set<Int>) = (false, [])
  /// When the next delayed job may be due, on the steady timeline.
  private(set) var nextDue: Timestamp?

  init(now: Timestamp, phases: Int) {
    pending = PendingTurn(now: now, phases: phases)
    queued = Array(repeating: 0, count: phases)
  }

  var isEmpty: Bool { pending.turn.isEmpty }

  /// Counted, and not applied yet.
  var metrics: [PhaseMetrics] { pending.turn.metrics + metricsInStore }

  /// New jobs of turns before this one are in the store.
  var firstOutsideStore: Int {
    if isInStore { return number - 1 }
    return pending.turn.enqueues.isEmpty ? .max : number
  }

  // MARK: - Gathering

  /// Whether a request of so many bytes may still wait for the store.
  func hasRoom(for bytes: Int, within maximum: Int) -> Bool {
    guard pending.turn.enqueues.count < Self.enqueueBacklog else { return false }
    return pending.enqueueBytes == 0 || pending.enqueueBytes + bytes <= maximum
  }

  /// - Parameter position: in the reply that `expect` adds once all jobs of its request are here.
  mutating func enqueue(_ job: NewJob, into phase: Int, position: Int) {
    pending.enqueue(job, into: phase, position: position)
  }

  /// The jobs that were enqueued since the last call are answered by this one.
  mutating func expect(_ reply: EnqueueReply, to route: [UInt8]) { pending.expect(reply, to: route) }

  /// Ends a lease.
  /// - Parameter route: of the worker that waits for its report to be acknowledged; empty where nobody does.
  mutating func settle(
    _ lease: Lease, _ attempt: AttemptRecord?, _ effect: Effect, reportedBy route: [UInt8] = [],
    durationMicroseconds: Int64 = 0
  ) {
    pending.settle(lease, attempt, effect, reportedBy: route, durationMicroseconds: durationMicroseconds)
  }

  mutating func add(_ metrics: [PhaseMetrics]) { pending.turn.metrics += metrics }

  /// Jobs of each phase that could be claimed by this turn; nil where there are none, which is what a turn mostly finds.
  var claimable: [Int]? {
    guard !paused.pipeline, queued.indices.contains(where: { queued[$0] + pending.arrivals[$0] > 0 }) else {
      return nil
    }
    return queued.indices.map { queued[$0] + pending.arrivals[$0] }
  }

  mutating func claim(_ shares: [WorkerRoster.Share]) { pending.claim(shares) }

  // MARK: - The way through the store

  /// The turn, to be sent now; nil where there is nothing to do.
  mutating func take(now: Moment) -> PendingTurn? {
    if let nextDue, nextDue <= now.steady { pending.turn.promotionLimit = Self.promotedAtOnce }
    guard !isEmpty else { return nil }
    pending.turn.now = now.wall
    pending.turn.promotionTime = now.steady
    let sent = discard(now: now.wall)
    number += 1
    for phase in queued.indices { queued[phase] += sent.arrivals[phase] }
    (isInStore, metricsInStore) = (true, sent.turn.metrics)
    return sent
  }

  /// Begins anew: what was gathered will not be sent.
  mutating func discard(now: Timestamp) -> PendingTurn {
    // Swapped, not copied: nothing but what is returned holds its arrays.
    var gathered = PendingTurn(now: now, phases: queued.count)
    swap(&gathered, &pending)
    return gathered
  }

  /// The store did not take the turn. Its queues are counted again when it is opened.
  mutating func failed() { (isInStore, metricsInStore) = (false, []) }

  /// The store has taken the turn.
  /// - Parameter now: on the steady timeline.
  /// - Returns: the jobs that ended with it.
  mutating func applied(_ answers: StoreTurnResult, to sent: PendingTurn, now: Timestamp) -> [JobID] {
    (isInStore, metricsInStore) = (false, [])
    if sent.turn.promotionLimit > 0 {
      nextDue = answers.nextDue
      for (phase, count) in answers.promoted { requeued(count, in: phase) }
    }
    expectDelayed(sent.turn)
    let ended = settled(sent.turn.settlements, answers.settlements, now: now)
    for (share, jobs) in zip(sent.shares, answers.claims) {
      queued[share.phase] = jobs.count < share.limit ? 0 : max(0, queued[share.phase] - jobs.count)
    }
    return ended
  }

  private mutating func settled(
    _ settlements: [Settlement], _ outcomes: [WriteOutcome], now: Timestamp
  ) -> [JobID] {
    var ended: [JobID] = []
    for (settlement, outcome) in zip(settlements, outcomes) where outcome == .recorded {
      switch settlement.effect {
      case .succeed, .bury: ended.append(settlement.job)
      case .retry(let time, _): if time <= now { queued[settlement.from] += 1 }
      case .toFront: queued[settlement.from] += 1
      case .advance, .cancel: break
      }
    }
    return ended
  }

  /// Delayed jobs written by a turn bring the next promotion forward.
  private mutating func expectDelayed(_ turn: StoreTurn) {
    for job in turn.enqueues { if let due = job.notBefore { expectDelayed(at: due) } }
    for settlement in turn.settlements { if case .retry(let due, _) = settlement.effect { expectDelayed(at: due) } }
  }

  private mutating func expectDelayed(at due: Timestamp) { nextDue = nextDue.map { min($0, due) } ?? due }

  // MARK: - The queues

  /// Jobs that came back into a queue beside the turns.
  mutating func requeued(_ count: Int, in phase: Int) {
    if queued.indices.contains(phase) { queued[phase] += count }
  }

  /// The store was opened.
  /// - Parameter now: on the steady timeline.
  mutating func resume(with counts: StoreCounts, paused: (pipeline: Bool, phases: Set<Int>), now: Timestamp) {
    nextDue = nil
    recount(counts, now: now)
    self.paused = paused
  }

  /// Counts of the store that no turn has overtaken.
  mutating func recount(_ counts: StoreCounts, now: Timestamp) {
    queued = counts.phases.map(\.waiting)
    if nextDue == nil, counts.phases.contains(where: { $0.delayed > 0 }) { nextDue = now }
  }

  mutating func set(paused: (pipeline: Bool, phases: Set<Int>)) { self.paused = paused }
}
