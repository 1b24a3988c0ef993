internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// Jobs that come back without an outcome, and those that ended workers before.
extension Coordinator {
  /// Suspects go out, each to a worker that has nothing else.
  func sendSuspects(now: Moment) {
    guard roster.hasParked, !turns.paused.pipeline else { return }
    let suspects = roster.placeSuspects(
      now: now.instant, allowance: allowance, isPaused: { turns.paused.phases.contains($0) })
    for lease in suspects {
      let order = JobOrder(
        job: lease.job, token: lease.token, attempt: lease.attempt,
        timeoutMilliseconds: pipeline.phases[lease.phase].timeoutMilliseconds, isSuspect: true)
      let credit = roster.workers[lease.worker]?.acknowledgedCredit ?? 0
      let orders = JobOrders(worker: lease.worker, pipeline: pipeline.name, jobs: [order], credit: credit)
      if !send([orders.encoded(), lease.instructions], to: lease.worker) {
        release([lease.token], now: now, lost: false, began: false)
      }
    }
  }

  /// Puts leases back into their queues with the next turn.
  /// - Parameters:
  ///   - lost: their worker went away under them.
  ///   - began: false where nothing of them is known to have been run.
  func release(
    _ tokens: [LeaseToken], now: Moment, lost: Bool, began: Bool = true, stage: Lease.Stage = .out
  ) {
    for token in tokens {
      guard let lease = roster.leases[token], lease.stage == stage else { continue }
      roster.mark(token, .recording)
      let isProven = lost && lease.losses > 0 && lease.hasBegun
      if isProven, pipeline.phases[lease.phase].retry.buries(losses: lease.losses) {
        bury(lease, now: now)
        continue
      }
      // A suspect that did not begin is no nearer to a proof than before.
      let hadBegun = began && stage == .out && (lease.losses == 0 || lease.hasBegun)
      let losses = isProven ? lease.losses + 1 : lost && lease.losses == 0 ? 1 : nil
      turns.settle(lease, hadBegun ? lostAttempt(of: lease, now: now) : nil, .toFront(losses: losses))
    }
  }

  private func lostAttempt(of lease: Lease, now: Moment) -> AttemptRecord {
    AttemptRecord(
      phase: lease.phase, number: lease.attempt, worker: lease.worker, plugin: "",
      startedAt: lease.sinceTime, endedAt: now.wall, outcome: .lost)
  }

  /// It ran alone each time its worker went away: nothing else can have been the cause.
  private func bury(_ lease: Lease, now: Moment) {
    let error = JobError(
      type: "Lost", message: "its worker went away \(lease.losses) times while it ran this job alone")
    turns.settle(lease, lostAttempt(of: lease, now: now), .bury(error))
  }

  /// A worker is about to run suspects, and must not before it was answered.
  func handleBegan(_ frames: [[UInt8]], from route: [UInt8]) throws(WireError) {
    let report = try BeganReport(decoding: frames[0])
    guard frames.count == 1 else { throw WireError("a report of begun jobs with \(frames.count) frames; it has one") }
    let begun = roster.begin(report.tokens, at: report.worker)
    if !begun.isEmpty { connections.send([BeginAnswer(tokens: begun).encoded()], to: route) }
  }
}
