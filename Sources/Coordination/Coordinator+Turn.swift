internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol

/// The way of every write: gathered while the store is busy, sent as one turn, answered one by one.
extension Coordinator {
  /// Submits what has been gathered, with as many claims as there are free slots.
  /// - Returns: false where there is nothing to do.
  func submitTurn(now: Moment, claiming: Bool) -> Bool {
    if claiming {
      sendSuspects(now: now)
      addClaims(now: now)
    }
    guard let turn = turns.take(now: now) else { return false }
    submit(SubmittedTurn(turn))
    return true
  }

  /// Items of a turn that the loop may wait for.
  private static var briefTurn: Int { 16 }

  /// How many attempts more may be out; nil: no limit.
  var allowance: Int? { settings.concurrency.map { max(0, $0 - roster.attemptsOut) } }

  private func addClaims(now: Moment) {
    guard let claimable = turns.claimable else { return }
    let paused = turns.paused.phases
    turns.claim(roster.share(queued: claimable, allowance: allowance, isPaused: { paused.contains($0) }))
  }

  /// A turn on its way through the store, in one piece for all who follow it.
  private final class SubmittedTurn {
    let sent: PendingTurn
    var answers = StoreTurnResult()
    /// Jobs that ended with it.
    var ended: [JobID] = []

    init(_ sent: PendingTurn) { self.sent = sent }
  }

  private func submit(_ submitted: SubmittedTurn) {
    let sent = submitted.sent
    executor.submit(
      sent.turn, isBrief: sent.turn.itemCount <= Self.briefTurn, flushing: sent.isWaitedFor,
      applied: { [unowned self] result in
        switch result {
        case .success(let answers):
          submitted.answers = answers
          applied(submitted, now: moment())
        case .failure(let error):
          turns.failed()
          refuse(submitted.sent, .unavailable, error.message)
          storeFailed(error, now: moment())
        }
      },
      flushed: { [unowned self] result in
        switch result {
        case .success: confirm(submitted, now: moment())
        case .failure(let error):
          refuseReplies(of: submitted.sent, .unavailable, error.message)
          storeFailed(error, now: moment())
        }
      })
  }

  /// Acts on what the store has done: work goes out at once.
  private func applied(_ submitted: SubmittedTurn, now: Moment) {
    let (sent, answers) = (submitted.sent, submitted.answers)
    submitted.ended = turns.applied(answers, to: sent, now: now.steady)
    schedule.noteOwnership(now: now.instant)
    endOutage(wrote: sent.writes, now: now)
    for (index, outcome) in answers.settlements.enumerated() {
      let settling = sent.settling[index]
      roster.forgetLease(settling.lease.token)
      journal.endAttempt(of: settling.lease.job)
      if outcome == .recorded { settled(settling, sent.turn.settlements[index], now: now) }
    }
    dispatch(answers.claims, sent, now: now)
  }

  /// Tells whoever waits, once what was done is there to stay.
  private func confirm(_ submitted: SubmittedTurn, now: Moment) {
    let (sent, answers) = (submitted.sent, submitted.answers)
    answerEnqueues(answers, sent, now: now)
    if !awaited.isEmpty { answerAwaiting(answers, sent) }
    for settling in sent.settling where !settling.route.isEmpty {
      acknowledgements.add(settling.lease.token, to: settling.route, now: now.instant)
    }
    pruning.noteFinished(submitted.ended.count)
    tellFinished(submitted.ended)
  }

  private func answerAwaiting(_ answers: StoreTurnResult, _ sent: PendingTurn) {
    for (index, outcome) in answers.settlements.enumerated() {
      let lease = sent.settling[index].lease
      switch sent.turn.settlements[index].effect {
      case .succeed(let instructions) where outcome == .recorded:
        // After a restart nobody knows what the worker was given.
        let instructions = instructions ?? lease.instructions
        if instructions.isEmpty { awaited.markUnsure(lease.job) } else { tellEnd(of: lease.job, instructions) }
      case .retry, .bury, .cancel: awaited.markUnsure(lease.job)
      case .advance, .succeed, .toFront: break
      }
    }
  }

  func acknowledge(now: Moment, all: Bool = false) {
    for (route, tokens) in acknowledgements.take(now: now.instant, all: all) {
      for chunk in tokens.chunks(of: AttemptReports.maximumReports) {
        connections.send([ReportAcknowledgement(tokens: chunk).encoded()], to: route)
      }
    }
  }

  private func settled(_ settling: PendingTurn.Settling, _ settlement: Settlement, now: Moment) {
    let lease = settling.lease
    switch settlement.effect {
    case .advance(_, let instructions), .succeed(let instructions):
      completed(settling, instructions, now: now)
    case .retry(let time, let error):
      failed(lease, settlement, error, now: now)
      if let retried = settings.hooks.jobRetried {
        let wait = max(0, time - now.steady)
        hooks.call(bytes: error.message.utf8.count) { _ in retried(lease.job, error, wait) }
      }
    case .bury(let error), .cancel(let error): failed(lease, settlement, error, now: now)
    case .toFront: break
    }
  }

  private func completed(_ settling: PendingTurn.Settling, _ instructions: [UInt8]?, now: Moment) {
    let lease = settling.lease
    // After a restart nobody knows what the worker was given.
    if let after = instructions, !lease.instructions.isEmpty {
      journal.noteChange(of: lease.job, by: lease.phase, before: lease.instructions, after: after)
    }
    roster.noteDuration(microseconds: settling.durationMicroseconds, phase: lease.phase)
    meters.count(lease.phase, at: now.wall) {
      $0.succeeded += 1
      $0.latency.record(microseconds: settling.durationMicroseconds)
    }
  }

  private func failed(_ lease: Lease, _ settlement: Settlement, _ error: JobError, now: Moment) {
    let counted = lease.counters.counting(settlement.attempt?.outcome ?? .lost)
    meters.count(lease.phase, at: now.wall) { meter in
      meter.crashed += counted.crashes - lease.crashes
      meter.failed += counted.failures - lease.failures
      switch settlement.effect {
      case .retry: meter.retried += 1
      case .bury: meter.dead += 1
      case .advance, .succeed, .cancel, .toFront: break
      }
    }
    noteFailure(lease, settlement, error, now: now)
  }

  private func answerEnqueues(_ answers: StoreTurnResult, _ sent: PendingTurn, now: Moment) {
    guard !sent.replies.isEmpty else { return }
    for open in sent.replies(after: answers.enqueues) {
      connections.answerOrEnd([open.reply.encoded()], to: open.route)
    }
    let stored = answers.enqueues.reduce(0) { $0 + ($1 == .stored ? 1 : 0) }
    if stored > 0 { meters.count(pipeline.plan.start, at: now.wall) { $0.enqueued += stored } }
  }

  private func dispatch(_ claims: [[ClaimedJob]], _ sent: PendingTurn, now: Moment) {
    for (share, jobs) in zip(sent.shares, claims) {
      roster.claimed(share)
      guard !jobs.isEmpty else { continue }
      for job in jobs { takeOff(job, share, now: now) }
      // Suspects wait for a worker of their own.
      let going = roster.hasParked ? jobs.filter { $0.losses == 0 } : jobs
      meters.count(share.phase, at: now.wall) { meter in
        meter.started += jobs.count
        for job in jobs { meter.wait.record(microseconds: waitMicroseconds(since: job.queuedAt, now: now)) }
      }
      for message in going.chunks(of: JobOrders.maximumJobs)
      where !message.isEmpty && !send(message, to: share.worker, phase: share.phase) {
        release(message.map(\.token), now: now, lost: false, began: false)
      }
    }
    sendSuspects(now: now)
    // Other coordinators wait for slots that a credit took back.
    if roster.owesCredits { demand.expect() }
  }

  private func takeOff(_ job: ClaimedJob, _ share: WorkerRoster.Share, now: Moment) {
    let lease = Lease(
      job: job.id, token: job.token, phase: share.phase, worker: share.worker, handle: share.handle,
      attempt: job.attempt, failures: job.failures, crashes: job.crashes, losses: job.losses,
      instructions: job.instructions, since: now.instant, sinceTime: now.wall)
    if job.losses > 0 { roster.park(lease) } else { roster.add(lease) }
  }

  /// Bounded, since either time may have been read from a clock that was wrong.
  private func waitMicroseconds(since queued: Timestamp, now: Moment) -> Int64 {
    min(max(0, now.wall - queued), longestDurationMilliseconds) * 1_000
  }

  private func send(_ jobs: [ClaimedJob], to worker: WorkerID, phase: Int) -> Bool {
    guard let credit = roster.workers[worker]?.acknowledgedCredit else { return false }
    let timeout = pipeline.phases[phase].timeoutMilliseconds
    let orders = JobOrders(
      worker: worker, pipeline: pipeline.name,
      jobs: jobs.map {
        JobOrder(job: $0.id, token: $0.token, attempt: $0.attempt, timeoutMilliseconds: timeout)
      }, credit: credit)
    return send([orders.encoded()] + jobs.map(\.instructions), to: worker)
  }
}

extension Array {
  func chunks(of size: Int) -> [[Element]] {
    guard count > size else { return [self] }
    return stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
