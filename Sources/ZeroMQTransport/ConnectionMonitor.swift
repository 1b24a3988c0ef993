internal import CZeroMQ

/// Tells when the connections of a socket come and go, in the socket's own thread.
public final class ConnectionMonitor {
  public enum Event: Hashable, Sendable {
    case connected
    case disconnected
  }

  private let monitor: SocketMonitor
  /// Poll it together with the others; `events` reads it.
  public var socket: Socket { monitor.socket }

  /// - Parameter name: unique within the context.
  public init(of watched: Socket, name: String) throws(TransportError) {
    monitor = try SocketMonitor(of: watched, name: name, kinds: ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED)
  }

  /// What happened since the last call, oldest first.
  public func events() -> [Event] {
    var events: [Event] = []
    while let event = monitor.next() {
      events.append(event.kind == ZMQ_EVENT_DISCONNECTED ? .disconnected : .connected)
    }
    return events
  }
}
