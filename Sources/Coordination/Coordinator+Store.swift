internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol

/// Opening the store, losing it, and finding the way back.
extension Coordinator {
  struct Opening {
    var running: [RunningJob]
    var counts: StoreCounts
    var paused: (pipeline: Bool, phases: Set<Int>)
    var advice: [String]
    var timelineOffset: Int64
    var reader: Result<(any JobReader)?, StoreError>
  }

  func openStore() {
    let (pipeline, name, wall) = (pipeline, name, moment().wall)
    let needsReader = queries.needsReader
    executor.submit(
      { store throws(StoreError) -> Opening in
        try store.open(pipeline, owner: name, now: wall)
        return Opening(
          running: try store.runningJobs(), counts: try store.counts(), paused: try store.paused(),
          advice: store.advice, timelineOffset: try store.timelineOffset(),
          reader: needsReader ? result { () throws(StoreError) in try store.makeReader() } : .success(nil))
      },
      answer: { [unowned self] result in
        switch result {
        case .success(let opening):
          if needsReader { queries.use(opening.reader) }
          resume(with: opening, now: moment())
        case .failure(let error): storeFailed(error, now: moment())
        }
      })
  }

  /// Believes the store: leases it does not know are over, leases only it knows are taken over.
  private func resume(with opening: Opening, now: Moment) {
    let stored = Set(opening.running.map(\.token))
    for token in roster.leases.keys.filter({ !stored.contains($0) }) {
      if let lease = roster.forgetLease(token) { journal.endAttempt(of: lease.job) }
    }
    for job in opening.running where roster.leases[job.token] == nil {
      roster.add(
        Lease(
          job: job.id, token: job.token, phase: job.phase, worker: job.worker, attempt: job.attempt,
          failures: job.failures, crashes: job.crashes, losses: job.losses, since: now.instant, sinceTime: now.wall))
    }
    if !health.wasOpen { clock.resume(offset: opening.timelineOffset) }
    freshCounts.set(opening.counts)
    turns.resume(with: opening.counts, paused: opening.paused, now: moment().steady)
    schedule.noteOwnership(now: now.instant)
    if health.opened(now: now.instant) { announceStart(opening) }
  }

  private func announceStart(_ opening: Opening) {
    for line in opening.advice { logger.warning("\(line)") }
    let waiting = turns.queued.reduce(0, +)
    if waiting + opening.running.count > 0 {
      logger.notice("found \(waiting) waiting and \(opening.running.count) running jobs in \(storeAddress)")
    }
    hooks.call { $0.started?() }
  }

  /// Nothing is known about the writes on the way: who waits is told so, workers will report again, and opening the
  /// store compares both sides.
  func storeFailed(_ error: StoreError, now: Moment) {
    switch health.failed(error, now: now.instant) {
    case .final: failure = error
    case .passing(let message):
      if let message { logger.error("\(message)") }
      refuseEverythingPending(.unavailable, error.message)
    }
  }

  func endOutage(wrote: Bool, now: Moment) {
    if health.isBack(wrote: wrote, now: now.instant) { logger.notice("store \(storeAddress) is back; work goes on") }
  }

  /// Tells everyone who waits for the pending turn that it will not be.
  func refuseEverythingPending(_ code: ReplyCode, _ message: String) {
    refuse(turns.discard(now: moment().wall), code, message)
  }

  func refuse(_ turn: PendingTurn, _ code: ReplyCode, _ message: String) {
    for settling in turn.settling { roster.mark(settling.lease.token, .out) }
    for share in turn.shares { roster.claimed(share) }
    refuseReplies(of: turn, code, message)
    for metrics in turn.turn.metrics {
      meters.putBack(metrics)
    }
  }

  /// Jobs of these requests may be stored or not.
  func refuseReplies(of turn: PendingTurn, _ code: ReplyCode, _ message: String) {
    for open in turn.replies(refusing: code, message) {
      connections.answerOrEnd([open.reply.encoded()], to: open.route)
    }
  }
}
