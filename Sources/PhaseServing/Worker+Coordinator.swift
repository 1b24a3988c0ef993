internal import Glibc
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// What goes to the coordinator and what comes from it.
extension Worker {
  // MARK: - Heartbeats

  /// A subscription tells that a coordinator is there, new or back: it hears of this worker at once.
  func readSubscriptions() {
    while let frames = events.receive() {
      guard let first = frames.first?.first else { continue }
      // 0 comes when the last one is gone.
      hasSubscriber = first == 1
      if hasSubscriber { announceAt = Instant(milliseconds: .min) }
    }
  }

  func announceIfDue(now: Instant) {
    guard now >= announceAt else { return }
    announceAt = now + (coordinator == nil && hasSubscriber ? 100 : 1_000)
    guard hasSubscriber else { return }
    let announcement = Announcement(
      worker: id, pullAddress: settings.advertisedPullAddress ?? pullAddress, jobType: settings.jobType,
      host: hostName, processID: Int(getpid()), concurrency: max(1, service.slots), state: service.state,
      succeeded: succeeded, failed: failed, plugin: plugin, pluginFile: pluginFile, inFlight: inFlight,
      reason: service.reason)
    _ = events.send([announcement.encoded()])
  }

  private var inFlight: [LeaseToken] {
    let running = slots.flatMap { slot in slot.runs.map(\.token) }
    return Array(
      (backlog.map(\.order.token) + held.tokens + running + outbox.tokens).prefix(Announcement.maximumInFlight))
  }

  // MARK: - Orders

  func readOrders(now: Instant) {
    for _ in 0..<1_000 {
      guard let frames = orders.receive() else { return }
      do throws(WireError) {
        try follow(frames, now: now)
      } catch {
        complain(error)
      }
    }
  }

  private func follow(_ frames: [[UInt8]], now: Instant) throws(WireError) {
    switch try Prologue.kind(of: frames[0]) {
    case .welcome: try meet(try Welcome(decoding: frames[0]), now: now)
    case .jobs: try accept(try JobOrders(decoding: frames[0]), frames)
    case .cancel: cancel(try LeaseOrder(decoding: frames[0]), now: now)
    case .recall: recall(try LeaseOrder(decoding: frames[0]))
    case .drain: if try DrainOrder(decoding: frames[0]).worker == id { beginDraining(now: now) }
    case let other: throw WireError("a \(other) where orders come in")
    }
  }

  private func meet(_ welcome: Welcome, now: Instant) throws(WireError) {
    guard welcome.worker == id else { return }
    maximumInstructionsBytes = welcome.maximumInstructionsBytes
    let said = settings.resultsAddress ?? welcome.resultsAddress
    let address = replacingWildcardHost(in: said, with: parseHost(settings.eventsAddress) ?? "127.0.0.1")
    if address != results?.address { try connectResults(to: address, now: now) }
    if coordinator != welcome.coordinator {
      logger.info("serving \(settings.jobType) for pipeline \(welcome.pipeline), results go to \(address)")
      // Whatever the former coordinator did not answer concerns this one.
      outbox.expire(now: now, all: true)
      held.forgetAnswers()
    }
    coordinator = welcome.coordinator
  }

  private func connectResults(to address: String, now: Instant) throws(WireError) {
    if let problem = addressProblem(address, binding: false) { throw WireError(problem) }
    do throws(TransportError) {
      resultsLinksMade += 1
      let link = try ResultsLink(address, in: context, number: resultsLinksMade)
      if let results {
        poller.remove(results.socket)
        poller.remove(results.monitor.socket)
      }
      poller.add(link.socket, as: PollKey.results)
      poller.add(link.monitor.socket, as: PollKey.resultsMonitor)
      results = link
      outbox.expire(now: now, all: true)
    } catch {
      throw WireError(error.message)
    }
  }

  func followResultsConnection(now: Instant) {
    guard let results, results.followConnection() else { return }
    outbox.expire(now: now, all: true)
  }

  private func accept(_ message: JobOrders, _ frames: [[UInt8]]) throws(WireError) {
    guard message.worker == id else { return }
    guard frames.count == message.jobs.count + 1 else {
      throw WireError("an order for \(message.jobs.count) jobs with \(frames.count - 1) payloads")
    }
    guard holdsFew else { throw WireError("\(message.jobs.count) jobs more than this worker has room for") }
    for (position, order) in message.jobs.enumerated() {
      do throws(InstructionsError) {
        let instructions = try CompressedJSON.json(
          in: frames[position + 1], maximumBytes: maximumInstructionsBytes)
        let assignment = Assignment(order: order, pipeline: message.pipeline, instructions: instructions)
        take(assignment)
      } catch {
        refuse(order, pipeline: message.pipeline, because: error)
      }
    }
  }

  /// Twice what a coordinator gives at most. What is left out here is in no announcement, and so given to somebody else.
  private var holdsFew: Bool {
    let most = 1 << 30
    guard backlog.count + held.tokens.count + outbox.count < 2 * Announcement.maximumInFlight else { return false }
    // Few jobs cannot be too many bytes, so they need not be looked at for every message.
    return backlog.count < most / max(1, maximumInstructionsBytes)
      || backlog.reduce(0) { $0 + $1.instructions.count } < most
  }

  private func take(_ assignment: Assignment) {
    guard takesJobs else { return handBack(assignment) }
    if assignment.order.isSuspect { held.add(assignment) } else { backlog.append(assignment) }
  }

  private func refuse(_ order: JobOrder, pipeline: String, because error: InstructionsError) {
    outbox.add(
      AttemptReport(
        job: order.job, token: order.token, outcome: .permanentFailure, startedAt: clocks.timestamp(),
        durationMicroseconds: 0,
        hasInstructions: false, plugin: plugin,
        error: JobError(type: "BadInstructions", message: error.message, location: settings.jobType)),
      instructions: nil, pipeline: pipeline)
  }

  /// Nobody waits for these any more: those that have not begun are forgotten, those that run are told to end.
  private func cancel(_ order: LeaseOrder, now: Instant) {
    guard order.worker == id else { return }
    let tokens = Set(order.tokens)
    backlog.removeAll { tokens.contains($0.order.token) }
    _ = held.remove(tokens)
    outbox.settle(order.tokens)
    for slot in slots { slot.cancel(tokens, killAt: now + 5_000) }
  }

  private func recall(_ order: LeaseOrder) {
    guard order.worker == id else { return }
    let tokens = Set(order.tokens)
    for assignment in backlog where tokens.contains(assignment.order.token) { handBack(assignment) }
    backlog.removeAll { tokens.contains($0.order.token) }
    for assignment in held.remove(tokens) { handBack(assignment) }
    for slot in slots { slot.withdrawWaiting(tokens) }
  }

  // MARK: - Reports

  func sendReports(now: Instant) {
    guard let results, results.isUp else { return }
    let questions = held.isEmpty ? [] : held.toAsk(idleChildren: slots.count(where: \.isIdle), now: now)
    if !questions.isEmpty { _ = results.socket.send([BeganReport(worker: id, tokens: questions).encoded()]) }
    while outbox.hasUnsent,
      let message = outbox.take(worker: id, now: now, payloadLimit: maximumInstructionsBytes)
    {
      guard results.socket.send(message.frames) else { return outbox.putBack(message) }
    }
  }

  func readAnswers() {
    guard let results else { return }
    while let frames = results.socket.receive() {
      do throws(WireError) {
        switch try Prologue.kind(of: frames[0]) {
        case .resultAck: outbox.settle(try ReportAcknowledgement(decoding: frames[0]).tokens)
        case .begin: held.allow(try BeginAnswer(decoding: frames[0]).tokens)
        case let other: throw WireError("a \(other) where acknowledgements come in")
        }
      } catch {
        complain(error)
      }
    }
  }
}
