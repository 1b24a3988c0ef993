internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol

/// The way of every write: gathered while the store is busy, sent as one turn, answered one by one.
extension Coordinator {
  /// Gives the idle lane its next work: an errand first, else the pending turn with as many claims as there are
  /// free slots.
  func advance(now: Timestamp, claiming: Bool = true) {
    guard !laneBusy, case .open = condition else { return }
    if let errand = errands.popFirst() {
      laneBusy = true
      errand()
      return
    }
    if claiming { addClaims(now: now) }
    if let nextDue, nextDue <= now { pending.turn.promotionLimit = 1_000 }
    guard !pending.turn.isEmpty else { return }
    submitPending(now: now)
  }

  /// Items of a turn that the loop may wait for.
  private static var briefTurn: Int { 16 }

  private func addClaims(now: Timestamp) {
    guard !paused.pipeline else { return }
    let out = roster.running.reduce(0, +)
    let expected = zip(queued, pending.arrivals).map(+)
    pending.shares = roster.share(
      queued: expected, allowance: settings.concurrency.map { max(0, $0 - out) },
      isPaused: { paused.phases.contains($0) })
    pending.turn.claims = pending.shares.map {
      Claim(phase: $0.phase, worker: $0.worker, limit: $0.limit, leaseUntil: now + Self.leaseMilliseconds)
    }
  }

  /// A turn on its way through the store, in one piece for all who follow it.
  private final class SubmittedTurn {
    let sent: PendingTurn
    var answers = StoreTurnResult()

    init(_ sent: PendingTurn) { self.sent = sent }
  }

  private func submitPending(now: Timestamp) {
    pending.turn.now = now
    let submitted = SubmittedTurn(pending)
    let sent = submitted.sent
    pending = PendingTurn(now: now, phases: pipeline.phases.count)
    turnNumber += 1
    for phase in queued.indices { queued[phase] += sent.arrivals[phase] }
    laneBusy = true
    lane.submit(
      sent.turn, isBrief: sent.turn.itemCount <= Self.briefTurn, flushing: sent.isWaitedFor,
      applied: { [unowned self] result in
        switch result {
        case .success(let applied):
          submitted.answers = applied
          take(applied, for: submitted.sent, now: .now())
        case .failure(let error):
          laneBusy = false
          refuse(submitted.sent, .unavailable, error.message)
          storeFailed(error, now: .now())
        }
      },
      flushed: { [unowned self] result in
        laneBusy = false
        switch result {
        case .success: confirm(submitted.answers, for: submitted.sent, now: .now())
        case .failure(let error):
          refuseReplies(of: submitted.sent, .unavailable, error.message)
          finished.removeAll(keepingCapacity: true)
          storeFailed(error, now: .now())
        }
      })
  }

  /// Acts on what the store has done: work goes out at once.
  private func take(_ answers: StoreTurnResult, for sent: PendingTurn, now: Timestamp) {
    for (index, outcome) in answers.completions.enumerated() {
      settle(sent.completing[index])
      if outcome == .recorded { completed(sent.completing[index], sent.turn.completions[index], now: now) }
    }
    for (index, outcome) in answers.failures.enumerated() {
      settle(sent.failing[index])
      if outcome == .recorded { failed(sent.failing[index], sent.turn.failures[index], now: now) }
    }
    for (token, outcome) in zip(sent.releasing, answers.releases) {
      guard let flight = roster.settle(token), outcome == .recorded else { continue }
      queued[flight.phase] += 1
    }
    if sent.turn.promotionLimit > 0 {
      nextDue = answers.nextDue
      for (phase, count) in answers.promoted where queued.indices.contains(phase) { queued[phase] += count }
    }
    expectDelayed(sent)
    dispatch(answers.claims, sent, now: now)
  }

  /// Tells whoever waits, once what was done is there to stay.
  private func confirm(_ answers: StoreTurnResult, for sent: PendingTurn, now: Timestamp) {
    answerEnqueues(answers, sent, now: now)
    if !awaited.isEmpty { answerAwaiting(answers, sent) }
    for settlement in sent.completing + sent.failing where !settlement.route.isEmpty {
      owed.add(settlement.flight.token, to: settlement.route, now: now)
    }
    tellFinished()
  }

  private func answerAwaiting(_ answers: StoreTurnResult, _ sent: PendingTurn) {
    let last = pipeline.phases.count - 1
    for (index, outcome) in answers.completions.enumerated() where outcome == .recorded {
      let flight = sent.completing[index].flight
      guard flight.phase == last else { continue }
      // After a restart nobody knows what the worker was given.
      let instructions = sent.turn.completions[index].instructions ?? flight.instructions
      if instructions.isEmpty { awaited.look(for: flight.job) } else { tellEnd(of: flight.job, instructions) }
    }
    for settlement in sent.failing { awaited.look(for: settlement.flight.job) }
  }

  func acknowledge(now: Timestamp, all: Bool = false) {
    for (route, tokens) in owed.take(now: now, all: all) {
      for chunk in tokens.chunks(of: AttemptReports.maximumReports) {
        _ = intake.send([route, ReportAcknowledgement(tokens: chunk).encoded()])
      }
    }
  }

  private func settle(_ settlement: PendingTurn.Settlement) {
    roster.settle(settlement.flight.token)
    if !progress.isEmpty { progress[settlement.flight.job] = nil }
  }

  private func completed(_ settlement: PendingTurn.Settlement, _ completion: Completion, now: Timestamp) {
    let phase = settlement.flight.phase
    // After a restart nobody knows what the worker was given.
    if let after = completion.instructions, !settlement.flight.instructions.isEmpty {
      let change = RecentChanges.Change(phase: phase, before: settlement.flight.instructions, after: after)
      recentChanges.add(change, of: settlement.flight.job)
    }
    roster.noteDuration(microseconds: settlement.report.durationMicroseconds, phase: phase)
    meters.count(phase, at: now) {
      $0.succeeded += 1
      $0.latency.record(microseconds: settlement.report.durationMicroseconds)
    }
    if phase == pipeline.phases.count - 1 { finished.append(settlement.flight.job) }
  }

  private func failed(_ settlement: PendingTurn.Settlement, _ failure: Failure, now: Timestamp) {
    let flight = settlement.flight
    meters.count(flight.phase, at: now) { meter in
      switch settlement.report.outcome {
      case .crashed: meter.crashed += 1
      default: meter.failed += 1
      }
      switch failure.verdict {
      case .retry: meter.retried += 1
      case .bury: meter.dead += 1
      case .cancel: break
      }
    }
    logger.debug(
      "job \(flight.job) at \(pipeline.phases[flight.phase].jobType): \(settlement.report.outcome): \(failure.error.message)"
    )
    switch failure.verdict {
    case .retry(let at):
      queued[flight.phase] += at <= now ? 1 : 0
      if let retried = settings.hooks.jobRetried {
        hooks.call { _ in retried(flight.job, failure.error, max(0, at - now)) }
      }
    case .bury: finished.append(flight.job)
    case .cancel: break
    }
  }

  /// Delayed jobs written by this turn bring the next promotion forward.
  private func expectDelayed(_ sent: PendingTurn) {
    var due = sent.turn.enqueues.compactMap(\.notBefore)
    for case .retry(let at) in sent.turn.failures.map(\.verdict) { due.append(at) }
    guard let first = due.min() else { return }
    nextDue = nextDue.map { min($0, first) } ?? first
  }

  private func answerEnqueues(_ answers: StoreTurnResult, _ sent: PendingTurn, now: Timestamp) {
    guard !sent.replies.isEmpty else { return }
    var replies = sent.replies
    for (index, outcome) in answers.enqueues.enumerated() {
      let slot = sent.enqueuing[index]
      guard case .duplicate(let state) = outcome else { continue }
      replies[slot.reply].reply.jobs[slot.position].code = .duplicate
      replies[slot.reply].reply.jobs[slot.position].message = "there already, \(state)"
    }
    for open in replies { _ = intake.send([open.route, open.reply.encoded()]) }
    let stored = answers.enqueues.reduce(0) { $0 + ($1 == .stored ? 1 : 0) }
    if stored > 0 { meters.count(0, at: now) { $0.enqueued += stored } }
  }

  private func dispatch(_ claims: [[ClaimedJob]], _ sent: PendingTurn, now: Timestamp) {
    for (share, jobs) in zip(sent.shares, claims) {
      roster.claimed(share)
      queued[share.phase] = jobs.count < share.limit ? 0 : max(0, queued[share.phase] - jobs.count)
      guard !jobs.isEmpty else { continue }
      for job in jobs {
        roster.add(
          Flight(
            job: job.id, token: job.token, phase: share.phase, worker: share.worker, place: share.place,
            attempt: job.attempt, failures: job.failures, crashes: job.crashes, instructions: job.instructions,
            since: now, renewedAt: now))
      }
      meters.count(share.phase, at: now) { meter in
        meter.started += jobs.count
        for job in jobs { meter.wait.record(microseconds: max(0, now - job.queuedAt) * 1_000) }
      }
      for message in jobs.chunks(of: JobOrders.maximumJobs)
      where !send(message, to: share.worker, phase: share.phase) {
        release(message.map(\.token), now: now)
      }
    }
  }

  private func send(_ jobs: [ClaimedJob], to worker: WorkerID, phase: Int) -> Bool {
    guard let link = links[worker] else { return false }
    let timeout = pipeline.phases[phase].timeoutMilliseconds
    let orders = JobOrders(
      worker: worker, pipeline: pipeline.name,
      jobs: jobs.map {
        JobOrder(job: $0.id, token: $0.token, attempt: $0.attempt, timeoutMilliseconds: timeout)
      })
    return link.orders.send([orders.encoded()] + jobs.map(\.instructions))
  }

  /// Puts leases back into their queues with the next turn.
  /// - Parameter began: false where the worker says that it never started them.
  func release(_ tokens: [LeaseToken], now: Timestamp, began: Bool = true) {
    for token in tokens {
      guard let flight = roster.flights[token], flight.stage == .out else { continue }
      roster.mark(token, .recording)
      let attempt = AttemptRecord(
        phase: flight.phase, number: flight.attempt, worker: flight.worker, plugin: "",
        startedAt: flight.since, endedAt: now, outcome: .lost)
      pending.turn.releases.append(Release(job: flight.job, token: token, attempt: began ? attempt : nil))
      pending.releasing.append(token)
    }
  }

  static var leaseMilliseconds: Int64 { 30_000 }

  func renewLeases(now: Timestamp) {
    for flight in roster.renewalsDue(now: now, every: Self.leaseMilliseconds / 3) {
      roster.markRenewed(flight.token, at: now)
      pending.turn.renewals.append(
        Renewal(job: flight.job, token: flight.token, until: now + Self.leaseMilliseconds))
    }
  }
}

extension Array {
  func chunks(of size: Int) -> [[Element]] {
    guard count > size else { return [self] }
    return stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
