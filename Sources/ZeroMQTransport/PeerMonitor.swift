internal import CZeroMQ
internal import Glibc

/// Tells which connections of a bound socket come and go, in the socket's own thread.
public final class PeerMonitor {
  public struct Event: Sendable {
    /// Of the connection, as `Socket.Message.descriptor` has it. Used again for another one after it was closed.
    public var descriptor: Int32
    public var isUp: Bool
  }

  /// Poll it together with the others; `events` reads it.
  public let socket: Socket
  private let watched: Socket

  /// Before the socket is bound, so that nothing is missed.
  /// - Parameter name: unique within the context.
  public init(of watched: Socket, name: String) throws(TransportError) {
    self.watched = watched
    let address = "inproc://peers-\(name)"
    let wanted = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED
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
      guard let first = frames.first, first.count >= 6 else { continue }
      let kind = Int32(first[0]) | Int32(first[1]) << 8
      let value = (2..<6).reduce(UInt32(0)) { $0 | UInt32(first[$1]) << UInt32(8 * ($1 - 2)) }
      events.append(Event(descriptor: Int32(bitPattern: value), isUp: kind == ZMQ_EVENT_ACCEPTED))
    }
    return events
  }

  /// Bytes that a TCP connection has brought since it began: the kernel's count (`tcpi_bytes_received`, tcp(7)). Nil where
  /// it is none, as with `ipc://`.
  public static func bytesReceived(on descriptor: Int32) -> UInt64? {
    // glibc's own structure ends before the field, which Linux has since 4.1, 128 bytes behind the beginning.
    var info = Array(repeating: UInt64(0), count: 32)
    var length = socklen_t(info.count * 8)
    guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0, length >= 136 else { return nil }
    return info[16]
  }

  /// Ends a connection whose descriptor libzmq has: it sees that its peer has gone, and frees what it holds of it.
  public static func end(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
