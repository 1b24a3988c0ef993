internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// How a process finds its coordinators, and what it hears from them.
extension WorkerLoop {
  /// Of coordinators that are gone, in milliseconds: results for one that comes back are kept for a day.
  private static var keepsUnanswered: Int64 { 86_400_000 }
  private static var keepsEmpty: Int64 { 10_000 }
  /// A coordinator that is not reached by one of its addresses for so long is tried by its others.
  private static var keepsToOneAddress: Int64 { 2_000 }

  func lookForCoordinators(now: Instant) {
    let changes = meetingPoints.map { $0.readSubscriptions() }
    if changes.contains(true) { connectToThoseFound(now: now) }
  }

  private func connectToThoseFound(now: Instant) {
    guard givenAddresses.isEmpty else { return }
    for address in meetingPoints.flatMap({ $0.coordinators.sorted() })
    where !connections.contains(where: { $0.address == address }) {
      connect(to: address, now: now)
    }
  }

  func connect(to address: String, now: Instant) {
    guard connections.count < MeetingPoint.maximumAddresses else {
      return logger.warning("no more than \(MeetingPoint.maximumAddresses) coordinators are served: not \(address)")
    }
    do throws(TransportError) {
      connectionsMade += 1
      let connection = try CoordinatorConnection(address, number: connectionsMade, in: context, now: now)
      let key = PollKey.connection(connection.number)
      poller.add(connection.socket, as: key.code)
      poller.add(connection.monitor.socket, as: key.secondCode)
      connections.append(connection)
      for service in services.values { service.add(connection) }
    } catch {
      complain(WireError(error.message))
    }
  }

  /// Lets go of those that nobody seeks any more, and seeks those that are not reached by their other addresses.
  func watchConnections(now: Instant) {
    seekOtherAddresses(now: now)
    for connection in connections {
      let isSought =
        givenAddresses.contains(connection.address)
        || meetingPoints.contains { $0.coordinators.contains(connection.address) }
      if isSought || connection.isUp { connection.lastSought = now }
      let age = now - (connection.lastSought ?? now)
      guard age > Self.keepsEmpty else { continue }
      let needs = services.values.map { $0.needs(connection) }
      guard !needs.contains(where: \.runs) else { continue }
      if age > Self.keepsUnanswered || !needs.contains(where: \.reports) {
        disconnect(connection)
        connectToThoseFound(now: now)
      }
    }
  }

  /// Which of them reaches the coordinator first is kept then: see `leaveIfServed`.
  private func seekOtherAddresses(now: Instant) {
    let lost = connections.filter { !$0.isUp && now - $0.heardAt > Self.keepsToOneAddress }
    var changed = false
    for connection in lost {
      for point in meetingPoints where point.forgetNames(of: connection.address) { changed = true }
    }
    if changed { connectToThoseFound(now: now) }
  }

  private func disconnect(_ connection: CoordinatorConnection) {
    poller.remove(connection.socket)
    poller.remove(connection.monitor.socket)
    connections.removeAll { $0 === connection }
    for service in services.values { service.remove(connection) }
    for point in meetingPoints { _ = point.forgetNames(of: connection.address) }
  }

  /// One coordinator was found by two addresses. It would take one worker on two connections for one that changes its
  /// connection all the time, and miss on each what is held by the other.
  /// - Returns: false where it is the only connection to its coordinator.
  private func leaveIfServed(_ connection: CoordinatorConnection) -> Bool {
    let former = connections.first { $0 !== connection && $0.isUp && $0.run == connection.run }
    guard let former, connection.run != nil else { return false }
    logger.info("the coordinator at \(connection.address) is the one at \(former.address), which is served already")
    disconnect(connection)
    for point in meetingPoints { point.note(connection.address, isAnotherNameOf: former.address) }
    // So that it goes on by the former connection.
    for service in services.values { service.sayHello(by: former) }
    return true
  }

  // MARK: - What comes from them

  /// - Parameter numbers: of those that something came by.
  func readConnections(_ numbers: [Int], now: Instant) {
    for connection in connections where numbers.contains(connection.number) {
      if connection.followMonitor(now: now) {
        for service in services.values { service.changed(connection, now: now) }
      }
      read(connection, now: now)
    }
  }

  private func read(_ connection: CoordinatorConnection, now: Instant) {
    for _ in 0..<1_000 {
      // One that was left meanwhile has nothing more to say.
      guard connections.contains(where: { $0 === connection }), let frames = connection.socket.receive() else { return }
      do throws(WireError) {
        try handOn(frames, from: connection, now: now)
      } catch {
        complain(error)
      }
    }
  }

  /// To the service that is meant. Answers name none: a coordinator's tokens are unique.
  private func handOn(
    _ frames: [[UInt8]], from connection: CoordinatorConnection, now: Instant
  ) throws(WireError) {
    let header = frames[0]
    let kind = try Prologue.kind(of: header)
    connection.heardAt = now
    switch kind {
    case .resultAck:
      let tokens = try ReportAcknowledgement(decoding: header).tokens
      for service in services.values { service.settle(tokens, from: connection.number) }
    case .begin:
      let tokens = try BeginAnswer(decoding: header).tokens
      for service in services.values { service.allow(tokens, from: connection.number) }
    case .welcome where connection.run == nil:
      connection.run = try Welcome(decoding: header).coordinator
      if leaveIfServed(connection) { return }
      fallthrough
    default:
      var reader = HeaderReader(header)
      // One that has ended may be meant by what was on its way.
      guard let number = numbers[try reader.workerID()], let service = services[number] else { return }
      try service.follow(kind, frames, from: connection.number, now: now)
    }
  }
}
