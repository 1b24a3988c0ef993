internal import Glibc
internal import Logging
internal import PipelineModel
internal import WireProtocol

/// How a service tells coordinators that it is there, and what they make of it.
extension PhaseService {
  /// A coordinator that is connected and not heard for this long keeps no slots from others.
  private static var silenceAllowed: Int64 { 1_400 }

  // MARK: - Connections of the process

  func add(_ connection: CoordinatorConnection) {
    links.append(CoordinatorLink(connection))
    hasNews = true
    helloAt = Instant(milliseconds: .min)
  }

  /// Nobody seeks the coordinator any more.
  func remove(_ connection: CoordinatorConnection) {
    ledger.forget(connection.number)
    links.removeAll { $0.number == connection.number }
    hasNews = true
  }

  /// It came up or was lost.
  func changed(_ connection: CoordinatorConnection, now: Instant) {
    guard let link = link(connection.number) else { return }
    link.connectionChanged(now: now)
    takeSlotsBack(from: link)
    hasNews = true
    if link.isUp { sayHello(to: link) }
  }

  /// Something is left to be told to the coordinator, or to be run for it.
  func needs(_ connection: CoordinatorConnection) -> (reports: Bool, runs: Bool) {
    let runs = slots.contains { $0.runs.contains { $0.assignment.link == connection.number } }
    return (link(connection.number)?.isEmpty == false, runs)
  }

  /// Those that are not heard keep no slots from others.
  func watchSilence(now: Instant) {
    guard links.count > 1 else { return }
    for link in links where now - link.connection.heardAt > Self.silenceAllowed { takeSlotsBack(from: link) }
  }

  func takeSlotsBack(from link: CoordinatorLink) {
    ledger.left(link.number)
    isCreditDue = true
    guard links.count > 1 else { return }
    // While one waits for its coordinator's word nothing else begins here, and that word may never come.
    for assignment in link.held.remove() { handBack(assignment) }
  }

  // MARK: - What coordinators make of it

  func meet(_ welcome: Welcome, _ link: CoordinatorLink, now: Instant) {
    if link.meet(welcome, now: now) {
      logger.info("serving \(settings.jobType) for pipeline \(welcome.pipeline) at \(link.address)")
    }
    // Those that had it alone must tell from now on when something begins to wait.
    if isShared { helloAt = now }
    ledger.arrived(link.number)
    isCreditDue = true
  }

  func heed(_ refusal: WorkerRefusal, _ link: CoordinatorLink) {
    takeSlotsBack(from: link)
    guard link.refusal != refusal else { return }
    link.refusal = refusal
    logger.warning("the coordinator at \(link.address) gives this worker no jobs: \(refusal.message)")
  }

  // MARK: - Hellos

  func sayHelloIfDue(now: Instant) {
    guard now >= helloAt else { return }
    helloAt = now + 1_000
    // Whoever has no such phase has none until it is started anew, which ends the connection.
    for link in links where link.isUp && link.refusal?.reason != .noSuchPhase {
      sayHello(to: link)
      tellMeasures(to: link)
    }
  }

  func sayHello(by connection: CoordinatorConnection) {
    if let link = link(connection.number) { sayHello(to: link) }
  }

  private func sayHello(to link: CoordinatorLink) {
    let hello = Hello(
      worker: id, instance: instance, jobType: settings.jobType, host: hostName, processID: Int(getpid()),
      concurrency: max(1, service.slots), state: service.state, succeeded: succeeded, failed: failed, plugin: plugin,
      pluginFile: pluginFile, inFlight: inFlight(of: link), reason: service.reason, isShared: isShared,
      credit: ledger.credit(of: link.number))
    _ = link.send([hello.encoded()])
  }

  /// Several coordinators are to be served.
  private var isShared: Bool { links.lazy.filter(\.isWelcome).prefix(2).count > 1 }

  private func inFlight(of link: CoordinatorLink) -> [LeaseToken] {
    let running = slots.flatMap { slot in
      slot.runs.filter { $0.assignment.link == link.number }.map(\.assignment.order.token)
    }
    let waiting = link.backlog.map(\.order.token) + link.held.tokens
    return Array((waiting + running + link.outbox.tokens).prefix(Hello.maximumInFlight))
  }

  func sayGoodbye() {
    for link in links {
      tellMeasures(to: link)
      _ = link.send([Goodbye(worker: id, reason: "it was told to stop").encoded()])
    }
  }
}
