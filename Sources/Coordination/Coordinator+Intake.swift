internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// What comes in at the intake: jobs, reports of attempts, requests; and the peers that send it.
extension Coordinator {
  /// At most this many messages of one socket before the other work of a turn is done.
  static var messagesPerTurn: Int { 1_000 }

  func readIntake(now: Moment) {
    for _ in 0..<Self.messagesPerTurn {
      guard let delivery = connections.receive() else { return }
      if let gone = delivery.gone { forget(gone, now: now) }
      let (message, route) = (delivery.message, delivery.route)
      guard !message.frames.isEmpty else { continue }
      do throws(WireError) {
        // A REQ or a DEALER that imitates one puts an empty frame before its message.
        guard !message.frames[0].isEmpty else { throw WireError("an empty first frame") }
        try handle(message, from: route, now: now)
      } catch {
        answerOlder(message.frames[0], from: route)
        connections.complain(source: "an intake peer", error)
      }
    }
  }

  /// A client of protocol 1 would wait for an answer in vain.
  private func answerOlder(_ frame: [UInt8], from route: [UInt8]) {
    let message = "protocol 1 is spoken there, protocol 2 at pipeline \(pipeline.name): upgrade the client"
    if let answer = OlderProtocol.refusal(of: frame, message: message) { connections.send(answer, to: route) }
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
    case .measures: try handleMeasures(frames, from: route)
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
    for route in connections.readPeers(now: now.instant) { forget(route, now: now) }
  }

  /// Nobody is there any more to hear answers: what was only to be looked at is dropped, what was to be done goes on.
  private func forget(_ route: [UInt8], now: Moment) {
    connections.forget(route)
    roster.ended(route, now: now.instant)
    rounds.expectLoss(at: now.instant + roster.timeouts.reconnect + 1)
    queries.drop(route)
    awaited.drop(route)
    actions.drop(route)
  }
}
