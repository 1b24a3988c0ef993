internal import CZeroMQ
internal import Glibc

/// Tells which connections of a bound socket come and go, in the socket's own thread.
public final class PeerMonitor {
  public struct Event: Sendable {
    /// Of the connection, as `Socket.Message.descriptor` has it. Used again for another one after it was closed.
    public var descriptor: Int32
    public var isUp: Bool
  }

  private let monitor: SocketMonitor
  /// Poll it together with the others; `events` reads it.
  public var socket: Socket { monitor.socket }

  /// Before the socket is bound, so that nothing is missed.
  /// - Parameter name: unique within the context.
  public init(of watched: Socket, name: String) throws(TransportError) {
    monitor = try SocketMonitor(of: watched, name: name, kinds: ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED)
  }

  /// What happened since the last call, oldest first.
  public func events() -> [Event] {
    var events: [Event] = []
    while let event = monitor.next() {
      events.append(Event(descriptor: event.value, isUp: event.kind == ZMQ_EVENT_ACCEPTED))
    }
    return events
  }

  /// Bytes that a TCP connection has brought since it began: the kernel's count (`tcpi_bytes_received`, tcp(7)). Nil where
  /// it is none, as with `ipc://`.
  public static func bytesReceived(on descriptor: Int32) -> UInt64? { information(of: descriptor)?[16] }

  /// Bytes that the other side of a TCP connection has taken since it began (`tcpi_bytes_acked`); nil as above.
  public static func bytesAcknowledged(on descriptor: Int32) -> UInt64? { information(of: descriptor)?[15] }

  /// The kernel's `struct tcp_info` in words of 64 bits. glibc's own structure ends before the counts of bytes, which Linux
  /// has since 4.1.
  private static func information(of descriptor: Int32) -> [UInt64]? {
    var info = Array(repeating: UInt64(0), count: 32)
    var length = socklen_t(info.count * 8)
    guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0, length >= 136 else { return nil }
    return info
  }

  /// Has the kernel end a TCP connection on which something that was sent has had no acknowledgement for so long
  /// (TCP_USER_TIMEOUT, tcp(7)): its peer's machine is cut off. Does nothing where it is none, as with `ipc://`.
  /// Why not by heartbeats: `Socket.setAcknowledgementLimit`.
  public static func limitSilence(on descriptor: Int32, milliseconds: UInt32) {
    var limit = milliseconds
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<UInt32>.size))
  }

  /// Ends a connection whose descriptor libzmq has: it sees that its peer has gone, and frees what it holds of it.
  public static func end(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
