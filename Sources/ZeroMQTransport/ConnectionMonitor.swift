internal import CZeroMQ

/// Tells when the connections of a socket come and go, in the socket's own thread.
public final class ConnectionMonitor {
  public enum Event: Hashable, Sendable {
    case connected
    case disconnected
  }

  /// Poll it together with the others; `events` reads it.
  public let socket: Socket
  private let watched: Socket

  /// - Parameter name: unique within the context.
  public init(of watched: Socket, name: String) throws(TransportError) {
    self.watched = watched
    let address = "inproc://monitor-\(name)"
    let wanted = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED
    guard zmq_socket_monitor(watched.handle, address, Int32(wanted)) == 0 else {
      throw TransportError.last("cannot watch a ZeroMQ socket")
    }
    socket = try Socket(.pair, in: watched.context, highWaterMark: 0)
    try socket.connect(address)
  }

  deinit { zmq_socket_monitor(watched.handle, nil, 0) }

  /// What happened since the last call, oldest first.
  public func events() -> [Event] {
    var events: [Event] = []
    while let frames = socket.receive() {
      guard let first = frames.first, first.count >= 2 else { continue }
      switch Int32(first[0]) | Int32(first[1]) << 8 {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: events.append(.connected)
      case ZMQ_EVENT_DISCONNECTED: events.append(.disconnected)
      default: break
      }
    }
    return events
  }
}
