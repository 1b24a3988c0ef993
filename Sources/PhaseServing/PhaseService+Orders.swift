internal import PipelineModel
internal import WireProtocol

/// What a coordinator has to tell a service.
extension PhaseService {
  /// - Parameter kind: of a message that names this service.
  func follow(_ kind: MessageKind, _ frames: [[UInt8]], from connection: Int, now: Instant) throws(WireError) {
    guard let link = heard(from: connection) else { return }
    let header = frames[0]
    switch kind {
    case .jobs: try accept(try JobOrders(decoding: header), frames, link)
    case .demand: hear(try Demand(decoding: header), link, now: now)
    case .cancel: cancel(try LeaseOrder(decoding: header), link, now: now)
    case .recall: recall(try LeaseOrder(decoding: header), link)
    case .drain: beginDraining(now: now)
    case .release: release(try ReleaseOrder(decoding: header))
    case .welcome: meet(try Welcome(decoding: header), link, now: now)
    case .refused: heed(try WorkerRefusal(decoding: header), link)
    case let other: throw WireError("a \(other) from a coordinator")
    }
  }

  /// These concern whichever service has them.
  func settle(_ tokens: [LeaseToken], from connection: Int) {
    guard link(connection)?.outbox.isEmpty == false, let link = heard(from: connection) else { return }
    link.outbox.settle(tokens)
  }

  func allow(_ tokens: [LeaseToken], from connection: Int) {
    guard link(connection)?.held.isEmpty == false, let link = heard(from: connection) else { return }
    link.held.allow(tokens)
  }

  private func heard(from connection: Int) -> CoordinatorLink? {
    guard let link = link(connection) else { return nil }
    hasNews = true
    if link.isWelcome { ledger.arrived(link.number) }
    return link
  }

  private func hear(_ demand: Demand, _ link: CoordinatorLink, now: Instant) {
    ledger.heard(link.number, waiting: demand.waiting, credit: demand.credit, now: now)
    isCreditDue = true
  }

  private func accept(_ message: JobOrders, _ frames: [[UInt8]], _ link: CoordinatorLink) throws(WireError) {
    guard frames.count == message.jobs.count + 1 else {
      throw WireError("an order for \(message.jobs.count) jobs with \(frames.count - 1) payloads")
    }
    guard holdsFew(link) else { throw WireError("\(message.jobs.count) jobs more than this worker has room for") }
    let mayHave = ledger.counts(message.credit, of: link.number)
    for (position, order) in message.jobs.enumerated() {
      do throws(InstructionsError) {
        let instructions = try CompressedJSON.json(
          in: frames[position + 1], maximumBytes: link.maximumInstructionsBytes)
        serials += 1
        let assignment = Assignment(
          order: order, link: link.number, serial: serials, pipeline: message.pipeline, instructions: instructions)
        if mayHave { take(assignment, link) } else { handBack(assignment) }
      } catch {
        refuse(order, link, pipeline: message.pipeline, because: error)
      }
    }
  }

  /// Twice what a coordinator gives at most. What is left out here is in no hello, and so given to somebody else.
  private func holdsFew(_ link: CoordinatorLink) -> Bool {
    let most = 1 << 30
    let (backlog, limit) = (link.backlog, max(1, link.maximumInstructionsBytes))
    guard backlog.count + link.held.tokens.count + link.outbox.count < 2 * Hello.maximumInFlight else { return false }
    // Few jobs cannot be too many bytes, so they need not be looked at for every message.
    return backlog.count < most / limit || backlog.reduce(0) { $0 + $1.instructions.count } < most
  }

  private func take(_ assignment: Assignment, _ link: CoordinatorLink) {
    guard takesJobs else { return handBack(assignment) }
    if assignment.order.isSuspect { link.held.add(assignment) } else { link.backlog.append(assignment) }
  }

  private func refuse(
    _ order: JobOrder, _ link: CoordinatorLink, pipeline: String, because error: InstructionsError
  ) {
    link.outbox.add(
      AttemptReport(
        job: order.job, token: order.token, outcome: .permanentFailure, startedAt: clocks.timestamp(),
        durationMicroseconds: 0,
        hasInstructions: false, plugin: plugin,
        error: JobError(type: "BadInstructions", message: error.message, location: settings.jobType)),
      instructions: nil, pipeline: pipeline)
  }

  /// Nobody waits for these any more: those that have not begun are forgotten, those that run are told to end.
  private func cancel(_ order: LeaseOrder, _ link: CoordinatorLink, now: Instant) {
    let tokens = Set(order.tokens)
    link.backlog.removeAll { tokens.contains($0.order.token) }
    _ = link.held.remove(tokens)
    link.outbox.settle(order.tokens)
    for slot in slots {
      slot.cancel(killAt: now + 5_000) { $0.link == link.number && tokens.contains($0.order.token) }
    }
    isCreditDue = true
  }

  private func recall(_ order: LeaseOrder, _ link: CoordinatorLink) {
    let tokens = Set(order.tokens)
    for assignment in link.backlog where tokens.contains(assignment.order.token) { handBack(assignment) }
    link.backlog.removeAll { tokens.contains($0.order.token) }
    for assignment in link.held.remove(tokens) { handBack(assignment) }
    for slot in slots {
      slot.withdrawWaiting { $0.link == link.number && tokens.contains($0.order.token) }
    }
  }
}
