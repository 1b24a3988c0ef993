internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol

/// What workers report of attempts.
extension Coordinator {
  private struct Reported {
    var report: AttemptReport
    var instructions: [UInt8]?
  }

  func handleReports(_ frames: [[UInt8]], from route: [UInt8], now: Moment) throws(WireError) {
    let message = try AttemptReports(decoding: frames[0])
    let payloads = message.reports.reduce(0) { $0 + ($1.hasInstructions ? 1 : 0) }
    guard frames.count == payloads + 1 else {
      throw WireError("reports that promise \(payloads) payloads and bring \(frames.count - 1)")
    }
    // While nothing can be recorded nothing is acknowledged: the worker reports again.
    guard isOpen else { return }
    var settled: [LeaseToken] = []
    var toCheck: [Reported] = []
    var nextPayload = 1
    for report in message.reports {
      var instructions: [UInt8]?
      if report.hasInstructions {
        instructions = frames[nextPayload]
        nextPayload += 1
      }
      guard let lease = roster.leases[report.token], lease.job == report.job else {
        settled.append(report.token)
        continue
      }
      guard lease.stage == .out else { continue }
      if let changed = instructions, changed != lease.instructions {
        roster.mark(report.token, .recording)
        toCheck.append(Reported(report: report, instructions: changed))
      } else {
        record(report, of: lease, instructions, from: route, now: now)
      }
    }
    if !settled.isEmpty { connections.send([ReportAcknowledgement(tokens: settled).encoded()], to: route) }
    check(toCheck, from: route)
  }

  /// A worker is believed as little as a client: what it sends would be what the next phase gets.
  private func check(_ reported: [Reported], from route: [UInt8]) {
    guard !reported.isEmpty else { return }
    checks.check(reported.compactMap(\.instructions)[...]) { [unowned self] problems in
      let now = moment()
      for (entry, problem) in zip(reported, problems) {
        guard let lease = roster.leases[entry.report.token], lease.stage == .recording else { continue }
        guard isOpen else {
          roster.mark(lease.token, .out)
          continue
        }
        guard let problem else {
          record(entry.report, of: lease, entry.instructions, from: route, now: now)
          continue
        }
        record(Self.failed(entry.report, problem), of: lease, nil, from: route, now: now)
      }
    }
  }

  private static func failed(_ report: AttemptReport, _ problem: String) -> AttemptReport {
    var failed = report
    failed.outcome = .failed
    failed.error = JobError(type: "BadResult", message: "its worker sent back what cannot be kept: \(problem)")
    return failed
  }

  /// The one place where the outcome of an attempt becomes a write.
  private func record(
    _ report: AttemptReport, of lease: Lease, _ instructions: [UInt8]?, from route: [UInt8], now: Moment
  ) {
    roster.mark(lease.token, .recording)
    // A worker's own clock: what it says of the past must not lie ahead.
    let startedAt = min(max(Timestamp(milliseconds: 0), report.startedAt), now.wall)
    let attempt = AttemptRecord(
      phase: lease.phase, number: lease.attempt, worker: lease.worker, plugin: report.plugin,
      startedAt: startedAt, endedAt: now.wall, outcome: report.outcome)
    switch report.outcome {
    case .handedBack, .lost:
      roster.mark(lease.token, .out)
      release([lease.token], now: now, lost: false, began: report.startedAt.milliseconds > 0)
      connections.send([ReportAcknowledgement(tokens: [lease.token]).encoded()], to: route)
    case .succeeded, .failed, .permanentFailure, .retryRequested, .crashed, .timedOut, .cancelled:
      turns.settle(
        lease, attempt, effect(of: report, on: lease, instructions, now: now), reportedBy: route,
        durationMicroseconds: min(max(0, report.durationMicroseconds), longestDurationMilliseconds * 1_000))
    }
  }

  private func effect(
    of report: AttemptReport, on lease: Lease, _ instructions: [UInt8]?, now: Moment
  ) -> Effect {
    guard report.outcome == .succeeded else {
      let error = report.error ?? JobError(type: "Unknown", message: "the worker gave no reason")
      return Effect(verdict(on: report, of: lease, now: now), on: error)
    }
    switch pipeline.plan.route(after: lease.phase) {
    case .next(let phase): return .advance(to: phase, instructions: instructions)
    case .end: return .succeed(instructions: instructions)
    }
  }

  private func verdict(on report: AttemptReport, of lease: Lease, now: Moment) -> RetryPolicy.Verdict {
    let counters = lease.counters.counting(report.outcome)
    return pipeline.phases[lease.phase].retry.verdict(
      on: report.outcome, failures: counters.failures, crashes: counters.crashes,
      retryAfterMilliseconds: report.retryAfterMilliseconds > 0 ? wait(of: report, lease) : nil, now: now.steady,
      jitter: Double.random(in: 0..<1))
  }

  /// What a phase asked for, within reason: each try is written to disk, so one that is asked for at once for ever would
  /// keep the store busy with nothing else.
  private func wait(of report: AttemptReport, _ lease: Lease) -> Int64 {
    let floor: Int64 = lease.attempt < 100 ? 100 : 1_000
    return min(max(floor, report.retryAfterMilliseconds), longestDurationMilliseconds)
  }
}
