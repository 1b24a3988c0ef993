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
    laneBusy = true
    let (pipeline, name, wall) = (pipeline, name, moment().wall)
    let needsReader = if case .own = reader { false } else { true }
    lane.submit(
      { store throws(StoreError) -> Opening in
        try store.open(pipeline, owner: name, now: wall)
        return Opening(
          running: try store.runningJobs(), counts: try store.counts(), paused: try store.paused(),
          advice: store.advice, timelineOffset: try store.timelineOffset(),
          reader: needsReader ? result { () throws(StoreError) in try store.makeReader() } : .success(nil))
      },
      answer: { [unowned self] result in
        laneBusy = false
        switch result {
        case .success(let opening):
          if needsReader { takeReader(opening.reader) }
          resume(with: opening, now: moment())
        case .failure(let error): storeFailed(error, now: moment())
        }
      })
  }

  /// Believes the store: leases it does not know are over, leases only it knows are taken over.
  private func resume(with opening: Opening, now: Moment) {
    let stored = Set(opening.running.map(\.token))
    for token in roster.flights.keys.filter({ !stored.contains($0) }) {
      if let flight = roster.settle(token) { progress[flight.job] = nil }
    }
    for job in opening.running where roster.flights[job.token] == nil {
      roster.add(
        Flight(
          job: job.id, token: job.token, phase: job.phase, worker: job.worker, attempt: job.attempt,
          failures: job.failures, crashes: job.crashes, losses: job.losses, since: now.instant, sinceTime: now.wall))
    }
    if !wasOpen { resumeTimeline(offset: opening.timelineOffset, now: now) }
    counts = opening.counts
    queued = opening.counts.phases.map(\.waiting)
    paused = opening.paused
    nextDue = opening.counts.phases.contains { $0.delayed > 0 } ? moment().steady : nil
    keepOwnershipAt = now.instant + Self.ownershipInterval
    condition = .open
    outage?.opened(now: now.instant)
    if !wasOpen { began(opening) }
  }

  private func began(_ opening: Opening) {
    for line in opening.advice { logger.warning("\(line)") }
    let waiting = queued.reduce(0, +)
    if waiting + opening.running.count > 0 {
      logger.notice("found \(waiting) waiting and \(opening.running.count) running jobs in \(storeAddress)")
    }
    hooks.call { $0.started?() }
    wasOpen = true
    outage = nil
  }

  /// Nothing is known about the writes on the way: who waits is told so, workers will report again, and opening the
  /// store compares both sides.
  func storeFailed(_ error: StoreError, now: Moment) {
    if isFinal(error, now: now) {
      failure = error
      return
    }
    if outage != nil {
      let isNews = outage?.failedAgain(reason: error.message) ?? false
      if isNews, wasOpen { logger.error("\(error.message); trying again") }
    } else {
      outage = StoreOutage(reason: error.message)
      if wasOpen { logger.error("\(error.message); nothing is accepted until it is back, trying again by itself") }
    }
    condition = .down(reason: error.message, retryAt: outage?.retryAt(now: now.instant) ?? now.instant)
    refuseEverythingPending(.unavailable, error.message)
  }

  /// Once the store has shown that it writes, or has not failed for a while.
  func endOutage(wrote: Bool, now: Moment) {
    guard case .open = condition, outage?.isOver(wrote: wrote, now: now.instant) == true else { return }
    outage = nil
    logger.notice("store \(storeAddress) is back; work goes on")
  }

  /// At the start, a store that is wrong is told at once, and one that is away, or that still seems to be owned by a
  /// coordinator killed a moment ago, gets a little time. Once work has begun, whatever the store says may pass (a password
  /// that is being changed, a table that is being repaired): only another owner ends this one.
  private func isFinal(_ error: StoreError, now: Moment) -> Bool {
    if wasOpen { return error.kind == .ownedByAnother }
    guard error.mayPass || error.kind == .ownedByAnother else { return true }
    return now.instant - startedAt.instant >= settings.storePatienceMilliseconds
  }

  /// Tells everyone who waits for the pending turn that it will not be.
  func refuseEverythingPending(_ code: ReplyCode, _ message: String) {
    refuse(pending, code, message)
    pending = PendingTurn(now: moment().wall, phases: pipeline.phases.count)
  }

  func refuse(_ turn: PendingTurn, _ code: ReplyCode, _ message: String) {
    for settling in turn.settling { roster.mark(settling.flight.token, .out) }
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
      answerOrEnd([open.reply.encoded()], to: open.route)
    }
  }
}
