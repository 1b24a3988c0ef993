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
    for flight in suspects {
      let order = JobOrder(
        job: flight.job, token: flight.token, attempt: flight.attempt,
        timeoutMilliseconds: pipeline.phases[flight.phase].timeoutMilliseconds, isSuspect: true)
      let credit = roster.workers[flight.worker]?.acknowledgedCredit ?? 0
      let orders = JobOrders(worker: flight.worker, pipeline: pipeline.name, jobs: [order], credit: credit)
      if !send([orders.encoded(), flight.instructions], to: flight.worker) {
        release([flight.token], now: now, lost: false, began: false)
      }
    }
  }

  /// Puts leases back into their queues with the next turn.
  /// - Parameters:
  ///   - lost: their worker went away under them.
  ///   - began: false where nothing of them is known to have been run.
  func release(
    _ tokens: [LeaseToken], now: Moment, lost: Bool, began: Bool = true, stage: Flight.Stage = .out
  ) {
    for token in tokens {
      guard let flight = roster.flights[token], flight.stage == stage else { continue }
      roster.mark(token, .recording)
      let isProven = lost && flight.losses > 0 && flight.hasBegun
      if isProven, pipeline.phases[flight.phase].retry.buries(losses: flight.losses) {
        bury(flight, now: now)
        continue
      }
      // A suspect that did not begin is no nearer to a proof than before.
      let hadBegun = began && stage == .out && (flight.losses == 0 || flight.hasBegun)
      let losses = isProven ? flight.losses + 1 : lost && flight.losses == 0 ? 1 : nil
      turns.settle(flight, hadBegun ? lostAttempt(of: flight, now: now) : nil, .toFront(losses: losses))
    }
  }

  private func lostAttempt(of flight: Flight, now: Moment) -> AttemptRecord {
    AttemptRecord(
      phase: flight.phase, number: flight.attempt, worker: flight.worker, plugin: "",
      startedAt: flight.sinceTime, endedAt: now.wall, outcome: .lost)
  }

  /// It ran alone each time its worker went away: nothing else can have been the cause.
  private func bury(_ flight: Flight, now: Moment) {
    let error = JobError(
      type: "Lost", message: "its worker went away \(flight.losses) times while it ran this job alone")
    turns.settle(flight, lostAttempt(of: flight, now: now), .bury(error))
  }

  /// A worker is about to run suspects, and must not before it was answered.
  func handleBegan(_ frames: [[UInt8]], from route: [UInt8]) throws(WireError) {
    let report = try BeganReport(decoding: frames[0])
    guard frames.count == 1 else { throw WireError("a report of begun jobs with \(frames.count) frames; it has one") }
    let begun = roster.begin(report.tokens, at: report.worker)
    if !begun.isEmpty { connections.send([BeginAnswer(tokens: begun).encoded()], to: route) }
  }
}
