internal import CZeroMQ

/// What libzmq tells of one socket's connections (zmq_socket_monitor(3)), in the socket's own thread.
final class SocketMonitor {
  struct Event {
    var kind: Int32
    /// Mostly a descriptor.
    var value: Int32
  }

  let socket: Socket
  private let watched: Socket

  /// - Parameters:
  ///   - name: unique within the context.
  ///   - kinds: the events that are wanted, as bits.
  init(of watched: Socket, name: String, kinds: Int32) throws(TransportError) {
    self.watched = watched
    let address = "inproc://monitor-\(name)"
    guard zmq_socket_monitor(watched.handle, address, kinds) == 0 else {
      throw TransportError.last("cannot watch a ZeroMQ socket")
    }
    socket = try Socket(.pair, in: watched.context, highWaterMark: 0)
    try socket.connect(address)
  }

  deinit { zmq_socket_monitor(watched.handle, nil, 0) }

  /// The next event since the last call; nil where there is none.
  func next() -> Event? {
    while let frames = socket.receive() {
      guard let first = frames.first, first.count >= 6 else { continue }
      let value = (2..<6).reduce(UInt32(0)) { $0 | UInt32(first[$1]) << UInt32(8 * ($1 - 2)) }
      return Event(kind: Int32(first[0]) | Int32(first[1]) << 8, value: Int32(bitPattern: value))
    }
    return nil
  }
}
