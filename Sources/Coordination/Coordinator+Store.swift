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
  }

  func openStore() {
    laneBusy = true
    let (pipeline, name) = (pipeline, name)
    lane.submit(
      { store throws(StoreError) -> Opening in
        let now = Timestamp.now()
        try store.open(pipeline, owner: name, now: now)
        return Opening(
          running: try store.runningJobs(), counts: try store.counts(), paused: try store.paused())
      },
      answer: { [unowned self] result in
        laneBusy = false
        switch result {
        case .success(let opening): resume(with: opening, now: .now())
        case .failure(let error): storeFailed(error, now: .now())
        }
      })
  }

  /// Believes the store: leases it does not know are over, leases only it knows are taken over.
  private func resume(with opening: Opening, now: Timestamp) {
    let stored = Set(opening.running.map(\.token))
    for token in roster.flights.keys.filter({ !stored.contains($0) }) { roster.settle(token) }
    for job in opening.running where roster.flights[job.token] == nil {
      roster.add(
        Flight(
          job: job.id, token: job.token, phase: job.phase, worker: job.worker, attempt: job.attempt,
          failures: job.failures, crashes: job.crashes, since: now, renewedAt: now))
    }
    counts = opening.counts
    queued = opening.counts.phases.map(\.waiting)
    paused = opening.paused
    nextDue = opening.counts.phases.contains { $0.delayed > 0 } ? now : nil
    if wasOpen {
      logger.notice("store \(storeAddress) is back; work goes on")
    } else {
      let waiting = queued.reduce(0, +)
      if waiting + opening.running.count > 0 {
        logger.notice("found \(waiting) waiting and \(opening.running.count) running jobs in \(storeAddress)")
      }
      hooks.call { $0.started?() }
    }
    wasOpen = true
    condition = .open
  }

  /// Nothing is known about the writes on the way: who waits is told so, workers will report again, and opening the
  /// store compares both sides.
  func storeFailed(_ error: StoreError, now: Timestamp) {
    if isFinal(error, now: now) {
      failure = error
      return
    }
    let backoff: Int64
    if case .down(let reason, _, let previous) = condition {
      backoff = min(previous * 2, 2_000)
      if reason != error.message, wasOpen { logger.error("\(error.message); trying again") }
    } else {
      backoff = 100
      if wasOpen { logger.error("\(error.message); nothing is accepted until it is back, trying again by itself") }
    }
    condition = .down(reason: error.message, retryAt: now + backoff, backoff: backoff)
    refuseEverythingPending(.unavailable, error.message)
  }

  /// At the start, a store that is away, or that still seems to be owned by a coordinator killed a moment ago, gets
  /// a little time; once work has begun, a store that is away may take as long as it wants.
  private func isFinal(_ error: StoreError, now: Timestamp) -> Bool {
    let mayPass = error.mayPass || (error.kind == .ownedByAnother && !wasOpen)
    return !mayPass || (!wasOpen && now - startedAt >= settings.storePatienceMilliseconds)
  }

  /// Tells everyone who waits for the pending turn that it will not be.
  func refuseEverythingPending(_ code: ReplyCode, _ message: String) {
    refuse(pending, code, message)
    pending = PendingTurn(now: .now(), phases: pipeline.phases.count)
  }

  func refuse(_ turn: PendingTurn, _ code: ReplyCode, _ message: String) {
    for settlement in turn.completing + turn.failing { roster.mark(settlement.flight.token, .out) }
    for token in turn.releasing { roster.mark(token, .out) }
    for share in turn.shares { roster.claimed(share) }
    refuseReplies(of: turn, code, message)
    for metrics in turn.turn.metrics {
      meters.putBack(metrics)
    }
  }

  /// Jobs of these requests may be stored or not.
  func refuseReplies(of turn: PendingTurn, _ code: ReplyCode, _ message: String) {
    for var open in turn.replies {
      for index in open.reply.jobs.indices where open.reply.jobs[index].code == .ok {
        open.reply.jobs[index].code = code
        open.reply.jobs[index].message = message
      }
      _ = intake.send([open.route, open.reply.encoded()])
    }
  }
}
