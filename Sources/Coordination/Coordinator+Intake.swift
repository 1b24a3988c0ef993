internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// What comes in at the intake: jobs, reports of attempts, requests.
extension Coordinator {
  /// New jobs that may wait for the store before more are refused as too much at once.
  static var enqueueBacklog: Int { 20_000 }

  func readIntake(now: Timestamp) {
    for _ in 0..<Self.messagesPerTurn {
      guard var frames = intake.receive() else { return }
      guard frames.count >= 2 else { continue }
      let route = frames.removeFirst()
      // A REQ or a DEALER that imitates one puts an empty frame before its message.
      let delimited = frames[0].isEmpty
      if delimited { frames.removeFirst() }
      do throws(WireError) {
        guard !delimited, !frames.isEmpty else { throw WireError("an empty first frame") }
        try handle(frames, from: route, now: now)
      } catch {
        complain(source: "an intake peer", error)
      }
    }
  }

  private func handle(_ frames: [[UInt8]], from route: [UInt8], now: Timestamp) throws(WireError) {
    switch try Prologue.kind(of: frames[0]) {
    case .results: try handleReports(frames, from: route, now: now)
    case .enqueue: try handleEnqueue(frames, from: route, now: now)
    case .request: try handleRequest(frames, from: route, now: now)
    case let other: throw WireError("a \(other) at the intake")
    }
  }
}

// MARK: - New jobs

extension Coordinator {
  private func handleEnqueue(_ frames: [[UInt8]], from route: [UInt8], now: Timestamp) throws(WireError) {
    let request = try EnqueueRequest(decoding: frames[0])
    guard frames.count == request.jobs.count + 1 else {
      throw WireError("an enqueue request for \(request.jobs.count) jobs with \(frames.count - 1) payloads")
    }
    var reply = EnqueueReply(request: request.request, jobs: [])
    if let refusal = refusal(for: request.pipeline) {
      reply.jobs = request.jobs.map { EnqueueReply.Job(code: refusal.code, id: $0.id, message: refusal.message) }
      _ = intake.send([route, reply.encoded()])
      return
    }
    let place = pending.replies.count
    var accepted = 0
    for (position, job) in request.jobs.enumerated() {
      let id = job.id ?? jobIDs.next(now: now)
      if let problem = problem(with: frames[position + 1]) {
        reply.jobs.append(EnqueueReply.Job(code: .invalid, id: job.id, message: problem))
        continue
      }
      reply.jobs.append(EnqueueReply.Job(code: .ok, id: id))
      pending.enqueuing.append(PendingTurn.EnqueueSlot(reply: place, position: position))
      pending.turn.enqueues.append(
        NewJob(
          id: id, priority: job.priority,
          notBefore: job.delayMilliseconds > 0 ? now + job.delayMilliseconds : nil, instructions: frames[position + 1]))
      accepted += 1
      if job.delayMilliseconds == 0 { pending.arrivals[0] += 1 }
    }
    if accepted == 0 {
      _ = intake.send([route, reply.encoded()])
    } else {
      pending.replies.append(PendingTurn.OpenReply(route: route, reply: reply))
    }
  }

  /// Why no job is taken now, whatever it says.
  private func refusal(for name: String) -> (code: ReplyCode, message: String)? {
    if stopRequested { return (.stopping, "pipeline \(pipeline.name) is stopping") }
    if name != pipeline.name {
      return (.invalid, "this coordinator runs pipeline '\(pipeline.name)', not '\(name)'")
    }
    switch condition {
    case .open: break
    case .opening: return (.unavailable, "the store is not open yet, try again later")
    case .down(let reason, _, _): return (.unavailable, reason)
    }
    if pending.turn.enqueues.count >= Self.enqueueBacklog { return (.busy, "busy, try again later") }
    return nil
  }

  private func problem(with payload: [UInt8]) -> String? {
    do throws(InstructionsError) {
      let json = try CompressedJSON.json(in: payload, maximumBytes: settings.maximumInstructionsBytes)
      try InstructionsJSON.check(json)
      return nil
    } catch {
      return error.message
    }
  }
}

// MARK: - Reports of attempts

extension Coordinator {
  private func handleReports(_ frames: [[UInt8]], from route: [UInt8], now: Timestamp) throws(WireError) {
    let message = try AttemptReports(decoding: frames[0])
    let payloads = message.reports.reduce(0) { $0 + ($1.hasInstructions ? 1 : 0) }
    guard frames.count == payloads + 1 else {
      throw WireError("reports that promise \(payloads) payloads and bring \(frames.count - 1)")
    }
    // While nothing can be recorded nothing is acknowledged: the worker reports again.
    guard case .open = condition else { return }
    var settled: [LeaseToken] = []
    var nextPayload = 1
    for report in message.reports {
      var instructions: [UInt8]?
      if report.hasInstructions {
        instructions = frames[nextPayload]
        nextPayload += 1
      }
      guard let flight = roster.flights[report.token], flight.job == report.job else {
        settled.append(report.token)
        continue
      }
      guard flight.stage == .out else { continue }
      record(report, of: flight, instructions, from: route, now: now)
    }
    if !settled.isEmpty { _ = intake.send([route, ReportAcknowledgement(tokens: settled).encoded()]) }
  }

  /// The one place where the outcome of an attempt becomes a write.
  private func record(
    _ report: AttemptReport, of flight: Flight, _ instructions: [UInt8]?, from route: [UInt8], now: Timestamp
  ) {
    roster.mark(flight.token, .recording)
    let attempt = AttemptRecord(
      phase: flight.phase, number: flight.attempt, worker: flight.worker, plugin: report.plugin,
      startedAt: report.startedAt, endedAt: now, outcome: report.outcome)
    let settlement = PendingTurn.Settlement(route: route, flight: flight, report: report)
    switch report.outcome {
    case .succeeded:
      let next = flight.phase + 1 < pipeline.phases.count ? flight.phase + 1 : nil
      pending.turn.completions.append(
        Completion(
          job: flight.job, token: flight.token, instructions: instructions, nextPhase: next, attempt: attempt))
      pending.completing.append(settlement)
      if let next { pending.arrivals[next] += 1 }
    case .handedBack, .lost:
      roster.mark(flight.token, .out)
      release([flight.token], now: now, began: report.startedAt.milliseconds > 0)
      _ = intake.send([route, ReportAcknowledgement(tokens: [flight.token]).encoded()])
    case .failed, .permanentFailure, .retryRequested, .crashed, .timedOut, .cancelled:
      let failure = Failure(
        job: flight.job, token: flight.token,
        error: report.error ?? JobError(type: "Unknown", message: "the worker gave no reason"),
        verdict: verdict(on: report, of: flight, now: now), attempt: attempt)
      pending.turn.failures.append(failure)
      pending.failing.append(settlement)
    }
  }

  private func verdict(on report: AttemptReport, of flight: Flight, now: Timestamp) -> RetryPolicy.Verdict {
    let counts = report.outcome == .failed || report.outcome == .timedOut
    return pipeline.phases[flight.phase].retry.verdict(
      on: report.outcome, failures: flight.failures + (counts ? 1 : 0),
      crashes: flight.crashes + (report.outcome == .crashed ? 1 : 0),
      retryAfterMilliseconds: report.retryAfterMilliseconds > 0 ? report.retryAfterMilliseconds : nil, now: now,
      jitter: Double.random(in: 0..<1))
  }
}
