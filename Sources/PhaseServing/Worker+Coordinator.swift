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
      guard frames.first?.first == 1 else { continue }
      hasSubscriber = true
      announceAt = Timestamp(milliseconds: 0)
    }
  }

  func announceIfDue(now: Timestamp) {
    guard now >= announceAt else { return }
    announceAt = now + (coordinator == nil && hasSubscriber ? 100 : 1_000)
    guard hasSubscriber else { return }
    let announcement = Announcement(
      worker: id, pullAddress: settings.advertisedPullAddress ?? pullAddress, jobType: settings.jobType,
      host: hostName, processID: Int(getpid()), concurrency: settings.concurrency, state: state,
      succeeded: succeeded, failed: failed, plugin: plugin, pluginFile: pluginFile, inFlight: inFlight)
    _ = events.send([announcement.encoded()])
  }

  private var state: WorkerState {
    guard stage == .serving else { return .draining }
    guard quarantine == nil else { return .impaired }
    return slots.contains { $0.isReady || $0.problem == nil } ? .serving : .impaired
  }

  private var inFlight: [LeaseToken] {
    let running = slots.flatMap { slot in slot.runs.map(\.token) }
    return Array((backlog.map(\.order.token) + running + outbox.tokens).prefix(Announcement.maximumInFlight))
  }

  // MARK: - Orders

  func readOrders(now: Timestamp) {
    for _ in 0..<1_000 {
      guard let frames = orders.receive() else { return }
      do throws(WireError) {
        try follow(frames, now: now)
      } catch {
        complain(error)
      }
    }
  }

  private func follow(_ frames: [[UInt8]], now: Timestamp) throws(WireError) {
    switch try Prologue.kind(of: frames[0]) {
    case .welcome: try meet(try Welcome(decoding: frames[0]))
    case .jobs: try accept(try JobOrders(decoding: frames[0]), frames)
    case .cancel: cancel(try LeaseOrder(decoding: frames[0]), now: now)
    case .recall: recall(try LeaseOrder(decoding: frames[0]))
    case .drain: if try DrainOrder(decoding: frames[0]).worker == id { drainOnOrder(now: now) }
    case let other: throw WireError("a \(other) where orders come in")
    }
  }

  private func meet(_ welcome: Welcome) throws(WireError) {
    guard welcome.worker == id else { return }
    maximumInstructionsBytes = welcome.maximumInstructionsBytes
    let said = settings.resultsAddress ?? welcome.resultsAddress
    let address = replacingWildcardHost(in: said, with: parseHost(settings.eventsAddress) ?? "127.0.0.1")
    if address != resultsAddress { try connectResults(to: address) }
    if coordinator != welcome.coordinator {
      logger.info("serving \(settings.jobType) for pipeline \(welcome.pipeline), results go to \(address)")
      // Whatever the former coordinator did not acknowledge concerns this one.
      outbox.expire(now: .now(), all: true)
    }
    coordinator = welcome.coordinator
  }

  private func connectResults(to address: String) throws(WireError) {
    if let problem = addressProblem(address, binding: false) { throw WireError(problem) }
    do throws(TransportError) {
      let socket = try Socket(.dealer, in: context, lingerMilliseconds: 500)
      socket.setHeartbeat(intervalMilliseconds: 2_000, timeoutMilliseconds: 6_000)
      try socket.connect(address)
      if let results { poller.remove(results) }
      poller.add(socket, as: PollKey.results)
      results = socket
      resultsAddress = address
      outbox.expire(now: .now(), all: true)
    } catch {
      throw WireError(error.message)
    }
  }

  private func accept(_ message: JobOrders, _ frames: [[UInt8]]) throws(WireError) {
    guard message.worker == id else { return }
    guard frames.count == message.jobs.count + 1 else {
      throw WireError("an order for \(message.jobs.count) jobs with \(frames.count - 1) payloads")
    }
    for (position, order) in message.jobs.enumerated() {
      do throws(InstructionsError) {
        let instructions = try CompressedJSON.json(
          in: frames[position + 1], maximumBytes: maximumInstructionsBytes)
        let assignment = Assignment(order: order, pipeline: message.pipeline, instructions: instructions)
        if stage == .serving, quarantine == nil { backlog.append(assignment) } else { handBack(assignment) }
      } catch {
        refuse(order, pipeline: message.pipeline, because: error)
      }
    }
  }

  private func refuse(_ order: JobOrder, pipeline: String, because error: InstructionsError) {
    outbox.add(
      AttemptReport(
        job: order.job, token: order.token, outcome: .permanentFailure, startedAt: .now(), durationMicroseconds: 0,
        hasInstructions: false, plugin: plugin,
        error: JobError(type: "BadInstructions", message: error.message, location: settings.jobType)),
      instructions: nil, pipeline: pipeline)
  }

  /// Nobody waits for these any more: those that have not begun are forgotten, those that run are told to end.
  private func cancel(_ order: LeaseOrder, now: Timestamp) {
    guard order.worker == id else { return }
    let tokens = Set(order.tokens)
    backlog.removeAll { tokens.contains($0.order.token) }
    outbox.settle(order.tokens)
    for slot in slots {
      if let run = slot.runs.first, tokens.contains(run.token) { slot.end(.cancelled, killAt: now + 5_000) }
      slot.cancelWaiting(tokens)
    }
  }

  private func recall(_ order: LeaseOrder) {
    guard order.worker == id else { return }
    let tokens = Set(order.tokens)
    for assignment in backlog where tokens.contains(assignment.order.token) { handBack(assignment) }
    backlog.removeAll { tokens.contains($0.order.token) }
  }

  // MARK: - Reports

  func sendReports(now: Timestamp) {
    guard let results, outbox.hasUnsent else { return }
    while let message = outbox.take(worker: id, now: now) {
      // What cannot be sent now counts as sent, and is sent again when no acknowledgement comes.
      guard results.send(message) else { return }
    }
  }

  func readAcknowledgements() {
    guard let results else { return }
    while let frames = results.receive() {
      do throws(WireError) {
        guard try Prologue.kind(of: frames[0]) == .resultAck else { throw WireError("not an acknowledgement") }
        outbox.settle(try ReportAcknowledgement(decoding: frames[0]).tokens)
      } catch {
        complain(error)
      }
    }
  }
}
