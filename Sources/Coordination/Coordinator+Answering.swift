internal import WireProtocol
internal import ZeroMQTransport

/// What peers are answered, no more of it than they read.
extension Coordinator {
  /// - Returns: false where so much waits for the peer, or for all peers, that this was not sent.
  func answer(_ frames: [[UInt8]], to route: [UInt8]) -> Bool {
    let bytes = frames.reduce(0) { $0 + $1.count }
    if bytes >= UnreadAnswers.worthCounting {
      guard unread.hasRoom(for: bytes, at: route, acknowledged: acknowledged(by:)) else { return false }
      unread.note(bytes, to: route, acknowledged: acknowledged(by: route))
    }
    _ = intake.send([route] + frames)
    return true
  }

  /// For what cannot be asked for again: a peer that leaves it unread as well is shown out.
  func answerOrEnd(_ frames: [[UInt8]], to route: [UInt8]) {
    guard !answer(frames, to: route), let descriptor = intakePeers.descriptor(of: route) else { return }
    complain(source: "an intake peer", WireError("it does not read its answers; its connection is ended"))
    PeerMonitor.end(descriptor)
  }

  private func acknowledged(by route: [UInt8]) -> UInt64? {
    intakePeers.descriptor(of: route).flatMap { PeerMonitor.bytesAcknowledged(on: $0) }
  }
}
