internal import CZeroMQ

/// libzmq's context: one per process or per program that embeds the product. May be shared by threads; the sockets
/// made from it may not.
public final class SocketContext: @unchecked Sendable {
  let handle: UnsafeMutableRawPointer

  /// - Throws: where the process is out of file descriptors.
  public init() throws(TransportError) {
    guard let handle = zmq_ctx_new() else { throw TransportError.last("cannot create a ZeroMQ context") }
    self.handle = handle
    zmq_ctx_set(handle, ZMQ_MAX_SOCKETS, 16_384)
  }

  /// Waits until every socket is closed and its lingering messages are sent.
  deinit { zmq_ctx_term(handle) }
}
