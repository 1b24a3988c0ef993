internal import Glibc
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// How a worker finds its coordinators, and tells them that it is there.
extension Worker {
  /// Of coordinators that are gone, in milliseconds: results for one that comes back are kept for a day.
  private static var keepsUnanswered: Int64 { 86_400_000 }
  private static var keepsEmpty: Int64 { 10_000 }
  /// A coordinator that is connected and not heard for this long keeps no slots from others.
  private static var silenceAllowed: Int64 { 1_400 }

  // MARK: - Finding them

  func lookForCoordinators(now: Instant) {
    let changes = meetingPoints.map { $0.readSubscriptions() }
    if changes.contains(true) { connectToThoseFound(now: now) }
  }

  private func connectToThoseFound(now: Instant) {
    let named = settings.coordinatorAddresses
    let found = named.isEmpty ? meetingPoints.flatMap { $0.coordinators.sorted() } : named
    for address in found where otherNames[address] == nil && !links.contains(where: { $0.address == address }) {
      connect(to: address, now: now)
    }
  }

  func connect(to address: String, now: Instant) {
    guard links.count < MeetingPoint.maximumAddresses else {
      return logger.warning("no more than \(MeetingPoint.maximumAddresses) coordinators are served: not \(address)")
    }
    do throws(TransportError) {
      linksMade += 1
      let link = try CoordinatorLink(address, number: linksMade, in: context, now: now)
      poller.add(link.socket, as: PollKey.links + 2 * link.number)
      poller.add(link.monitor.socket, as: PollKey.links + 2 * link.number + 1)
      links.append(link)
    } catch {
      complain(WireError(error.message))
    }
  }

  private func disconnect(_ link: CoordinatorLink) {
    poller.remove(link.socket)
    poller.remove(link.monitor.socket)
    ledger.forget(link.number)
    links.removeAll { $0 === link }
    otherNames = otherNames.filter { $0.value != link.address }
  }

  /// Lets go of those that nobody seeks any more, and takes slots back from those that are not heard.
  func watchLinks(now: Instant) {
    for link in links {
      let isSought =
        settings.coordinatorAddresses.contains(link.address)
        || meetingPoints.contains { $0.coordinators.contains(link.address) }
      if isSought || link.isUp { link.lastSought = now }
      let age = now - (link.lastSought ?? now)
      let hasJobs = slots.contains { $0.runs.contains { $0.assignment.link == link.number } }
      if !hasJobs, age > (link.isEmpty ? Self.keepsEmpty : Self.keepsUnanswered) {
        disconnect(link)
        connectToThoseFound(now: now)
      } else if links.count > 1, now - link.heardAt > Self.silenceAllowed {
        takeSlotsBack(from: link)
      }
    }
  }

  private func takeSlotsBack(from link: CoordinatorLink) {
    ledger.left(link.number)
    isCreditDue = true
  }

  // MARK: - Connections

  func readLinks(_ ready: [Int], now: Instant) {
    let keys = Set(ready.lazy.filter { $0 >= PollKey.links }.map { ($0 - PollKey.links) / 2 })
    for link in links where keys.contains(link.number) {
      if link.followConnection(now: now) {
        takeSlotsBack(from: link)
        if link.isUp { sayHello(to: link) }
      }
      read(link, now: now)
    }
  }

  func meet(_ welcome: Welcome, _ link: CoordinatorLink, now: Instant) {
    let former = links.first { $0 !== link && $0.isWelcome && $0.welcome?.coordinator == welcome.coordinator }
    if let former { return leave(link, whichIs: former) }
    if link.meet(welcome, formerly: coordinators[link.address], now: now) {
      logger.info("serving \(settings.jobType) for pipeline \(welcome.pipeline) at \(link.address)")
    }
    coordinators[link.address] = welcome.coordinator
    // Those that had it alone must tell from now on when something begins to wait.
    if isShared { helloAt = now }
    ledger.arrived(link.number)
    isCreditDue = true
  }

  /// One coordinator was found by two addresses. It would take one worker on two connections for one that changes its
  /// connection all the time, and miss on each what is held by the other.
  private func leave(_ link: CoordinatorLink, whichIs former: CoordinatorLink) {
    logger.info("the coordinator at \(link.address) is the one at \(former.address), which is served already")
    disconnect(link)
    otherNames[link.address] = former.address
    // So that it goes on by the former connection.
    sayHello(to: former)
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
    for link in links where link.isUp && link.refusal?.reason != .noSuchPhase { sayHello(to: link) }
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
    for link in links { _ = link.send([Goodbye(worker: id, reason: "it was told to stop").encoded()]) }
  }
}
