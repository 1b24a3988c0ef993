internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// What comes in at the intake: jobs, reports of attempts, requests; and the peers that send it.
extension Coordinator {
  /// All frames of one message: what is more is read and forgotten, and the message refused.
  var maximumMessageBytes: Int { max(64 << 20, settings.maximumInstructionsBytes + (1 << 20)) }
  /// One event of a worker.
  static var maximumEventBytes: Int { 1 << 20 }

  func readIntake(now: Moment) {
    for _ in 0..<Self.messagesPerTurn {
      guard var message = intake.receiveMessage(maximumBytes: maximumMessageBytes) else { return }
      guard message.frames.count >= 2 else { continue }
      let route = message.frames.removeFirst()
      if let gone = intakePeers.heard(
        from: route, on: message.descriptor, bytes: message.bytes, frames: message.frames.count)
      {
        forget(gone, now: now)
      }
      do throws(WireError) {
        // A REQ or a DEALER that imitates one puts an empty frame before its message.
        guard !message.frames[0].isEmpty else { throw WireError("an empty first frame") }
        try handle(message, from: route, now: now)
      } catch {
        answerOlder(message.frames[0], from: route)
        complain(source: "an intake peer", error)
      }
    }
  }

  /// A client of protocol 1 would wait for an answer in vain.
  private func answerOlder(_ frame: [UInt8], from route: [UInt8]) {
    let message = "protocol 1 is spoken there, protocol 2 at pipeline \(pipeline.name): upgrade the client"
    if let answer = OlderProtocol.refusal(of: frame, message: message) { _ = intake.send([route] + answer) }
  }

  private func handle(_ message: Socket.Message, from route: [UInt8], now: Moment) throws(WireError) {
    let frames = message.frames
    let kind = try Prologue.kind(of: frames[0])
    if message.isCut {
      guard kind == .enqueue else { throw WireError("a \(kind) message of \(message.bytes) bytes") }
      return try refuse(tooLarge: frames[0], bytes: message.bytes, from: route)
    }
    switch kind {
    case .hello: try handleHello(frames, from: route, on: message.descriptor, now: now)
    case .credit: try handleCredit(frames, from: route)
    case .goodbye: try handleGoodbye(frames, from: route, now: now)
    case .progress: try handleProgress(frames)
    case .log: try handleLog(frames, now: now)
    case .results: try handleReports(frames, from: route, now: now)
    case .began: try handleBegan(frames, from: route)
    case .enqueue: try handleEnqueue(frames, bytes: message.bytes, from: route)
    case .request: try handleRequest(frames, from: route, now: now)
    case let other: throw WireError("a \(other) at the intake")
    }
  }
}

// MARK: - Peers

extension Coordinator {
  /// After the messages: see `PeerTable`.
  func readPeers(now: Moment) {
    let (intake, events) = (intakeMonitor.events(), meetingMonitor.events())
    for route in intakePeers.update(intake.map { ($0.descriptor, $0.isUp) }) { forget(route, now: now) }
    _ = meetingPeers.update(events.map { ($0.descriptor, $0.isUp) })
    if (intake + events).contains(where: \.isUp) { keepDescriptorsFree(now: now) }
  }

  /// Whoever connects costs a descriptor, and a process without any cannot go on.
  func keepDescriptorsFree(now: Moment) {
    let excess = DescriptorLimit.excess()
    guard excess > 0 else { return }
    let ofIntake = intakePeers.chooseToEnd(excess)
    let chosen = ofIntake + meetingPeers.chooseToEnd(excess - ofIntake.count)
    guard !chosen.isEmpty else { return }
    for descriptor in chosen { PeerMonitor.end(descriptor) }
    guard let times = refusedPeers.note(now: now.instant) else { return }
    logger.error(
      "too many connections: \(chosen.count) are ended, and \(times - 1) times some before; raise the limit of open files"
    )
  }

  /// Nobody is there any more to hear answers: what was only to be looked at is dropped, what was to be done goes on.
  private func forget(_ route: [UInt8], now: Moment) {
    roster.ended(route, now: now.instant)
    lossIsDue = min(lossIsDue, now.instant + roster.patience.reconnect + 1)
    reads.drop(route)
    unread.drop(route)
    awaited.drop(route)
    for (id, answer) in actionAnswers where answer.route == route {
      actionAnswers[id] = nil
      if actions[id]?.verb == .count { actions.stop(id) }
    }
  }

  /// libzmq keeps the parts of a message until its last one has come, however many there are: a peer whose message has
  /// grown beyond all bounds is shown out.
  func endOverfullPeers() {
    end(&intakePeers, beyond: 2 * maximumMessageBytes, of: "an intake peer")
    end(&meetingPeers, beyond: 16 * Self.maximumEventBytes, of: "an event publisher")
  }

  /// - Parameter limit: in bytes, of one connection; all together may have eight times as much.
  private func end(_ peers: inout PeerTable, beyond limit: Int, of source: String) {
    var keptBack: [(descriptor: Int32, bytes: UInt64)] = []
    for descriptor in peers.descriptors {
      guard let received = PeerMonitor.bytesReceived(on: descriptor) else { continue }
      keptBack.append((descriptor, peers.keptBack(by: descriptor, received: received)))
    }
    var total = keptBack.reduce(0) { $0 + $1.bytes }
    for (descriptor, bytes) in keptBack.sorted(by: { $0.bytes > $1.bytes }) {
      guard bytes > UInt64(limit) || total > UInt64(8 * limit) else { return }
      total -= bytes
      complain(source: source, WireError("messages that do not end, of \(bytes >> 20) MiB; its connection is ended"))
      PeerMonitor.end(descriptor)
    }
  }
}
