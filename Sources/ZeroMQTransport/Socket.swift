internal import CZeroMQ
internal import Glibc

/// One ZeroMQ socket. Belongs to the thread that made it; every call is made there and none blocks.
public final class Socket {
  public enum Pattern: Sendable {
    /// `forwardedSubscribe` gets its subscriptions from the other side of a forwarder.
    case publish, subscribe, forwardedSubscribe, dealer, router, pair

    var code: Int32 {
      switch self {
      // XPUB is PUB that also hands up the subscriptions it gets: so a publisher knows when somebody listens.
      case .publish: ZMQ_XPUB
      case .subscribe: ZMQ_SUB
      case .forwardedSubscribe: ZMQ_XSUB
      case .dealer: ZMQ_DEALER
      case .router: ZMQ_ROUTER
      case .pair: ZMQ_PAIR
      }
    }
  }

  let handle: UnsafeMutableRawPointer
  let context: SocketContext
  /// Where it is watched; set by the poller, which keeps the socket alive as long.
  unowned(unsafe) var poller: Poller?
  var pollKey = 0
  /// Nothing was left to receive after the last call, so that news of more is still to be told by `changeDescriptor`.
  var isDrained = true {
    didSet { if oldValue, !isDrained, let poller { poller.suspect(pollKey) } }
  }

  /// - Parameters:
  ///   - highWaterMark: messages queued per peer in each direction before `send` answers false. Zero: no limit.
  ///   - receiveHighWaterMark: as `highWaterMark` for what comes in; nil: the same.
  ///   - maximumMessageBytes: a peer that sends a larger frame is disconnected.
  ///   - lingerMilliseconds: how long closing waits for messages not yet on the wire.
  public init(
    _ pattern: Pattern, in context: SocketContext, highWaterMark: Int32 = 10_000,
    receiveHighWaterMark: Int32? = nil, maximumMessageBytes: Int64 = 64 << 20, lingerMilliseconds: Int32 = 0
  ) throws(TransportError) {
    guard let handle = zmq_socket(context.handle, pattern.code) else {
      throw TransportError.last("cannot create a ZeroMQ socket")
    }
    self.handle = handle
    self.context = context
    set(ZMQ_SNDHWM, highWaterMark)
    set(ZMQ_RCVHWM, receiveHighWaterMark ?? highWaterMark)
    set(ZMQ_LINGER, lingerMilliseconds)
    set(ZMQ_MAXMSGSIZE, maximumMessageBytes)
    set(ZMQ_RECONNECT_IVL, Int32(100))
    set(ZMQ_RECONNECT_IVL_MAX, Int32(1_000))
    if pattern == .router {
      set(ZMQ_ROUTER_MANDATORY, Int32(1))
      // A peer that comes back under the same identity takes over from its dead connection.
      set(ZMQ_ROUTER_HANDOVER, Int32(1))
    }
    if pattern == .publish { set(ZMQ_XPUB_VERBOSE, Int32(1)) }
  }

  deinit { zmq_close(handle) }

  /// Finds peers whose machine vanished without a word.
  public func setHeartbeat(intervalMilliseconds: Int32, timeoutMilliseconds: Int32) {
    set(ZMQ_HEARTBEAT_IVL, intervalMilliseconds)
    set(ZMQ_HEARTBEAT_TIMEOUT, timeoutMilliseconds)
  }

  /// Has the kernel end TCP connections on which something that was sent is not acknowledged for so long: the peer's machine
  /// is cut off. Before `connect` or `bind`.
  ///
  /// For whoever sends much to a coordinator this takes the place of heartbeats: where their sender has left while its
  /// messages wait beyond the high-water mark, libzmq 4.3.4 aborts the process that receives them (`!_io_error` in
  /// stream_engine_base_t::out_event). What the heartbeats of others could do, `CStoppedInput` prevents.
  public func setAcknowledgementLimit(milliseconds: Int32) { set(ZMQ_TCP_MAXRT, milliseconds) }

  /// While no peer is connected `send` answers false, instead of queueing for one that may never come. Before `connect`.
  public func queueOnlyWhileConnected() { set(ZMQ_IMMEDIATE, Int32(1)) }

  public func subscribe(to prefix: [UInt8]) { zmq_setsockopt(handle, ZMQ_SUBSCRIBE, prefix, prefix.count) }

  /// - Returns: the address that others can connect to; differs from `address` where that left the port open.
  public func bind(_ address: String) throws(TransportError) -> String {
    allowIPv6(where: address)
    guard zmq_bind(handle, address) == 0 else {
      let code = zmq_errno()
      let reason =
        switch code {
        case EADDRINUSE: "another program listens there; stop it, or choose another port"
        // What libzmq makes of a name that is neither an address nor a network interface.
        case ENODEV: "this machine has no such address or interface"
        default: String(cString: zmq_strerror(code))
        }
      throw TransportError(code: code, message: "cannot listen on \(address): \(reason)")
    }
    var name = [CChar](repeating: 0, count: 1024)
    var length = name.count
    guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &name, &length) == 0 else { return address }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Returns at once; the connection is made, and made again, in the background.
  public func connect(_ address: String) throws(TransportError) {
    allowIPv6(where: address)
    guard zmq_connect(handle, address) == 0 else { throw TransportError.last("cannot connect to \(address)") }
  }

  /// Sends one message of several frames, whole or not at all.
  ///
  /// - Returns: false where it cannot be queued now (peer gone, high-water mark): nothing was sent.
  public func send(_ frames: [[UInt8]]) -> Bool {
    isDrained = false
    for (index, frame) in frames.enumerated() {
      let more = index + 1 < frames.count ? ZMQ_SNDMORE : 0
      while zmq_send(handle, frame, frame.count, ZMQ_DONTWAIT | more) < 0 {
        if zmq_errno() == EINTR { continue }
        return false
      }
    }
    return true
  }

  /// A message as it came.
  public struct Message {
    public var frames: [[UInt8]]
    /// Of the connection it came by; negative where there is none, as within a process.
    public var descriptor: Int32
    /// Of all frames, those that were cut off included.
    public var bytes: Int
    /// It had more frames or bytes than were asked for: the last ones are missing.
    public var isCut: Bool
  }

  /// The next message's frames, or nil where none is waiting. A message of more than `maximumFrames` is read to its end and
  /// comes back cut to that many, which no decoder accepts.
  public func receive(maximumFrames: Int = 2_048) -> [[UInt8]]? {
    receiveMessage(maximumFrames: maximumFrames, maximumBytes: .max)?.frames
  }

  /// The next message, or nil where none is waiting. What goes beyond either limit is read and forgotten.
  public func receiveMessage(maximumFrames: Int = 2_048, maximumBytes: Int) -> Message? {
    var received = Message(frames: [], descriptor: -1, bytes: 0, isCut: false)
    var part = zmq_msg_t()
    zmq_msg_init(&part)
    defer { zmq_msg_close(&part) }
    while true {
      guard zmq_msg_recv(&part, handle, ZMQ_DONTWAIT) >= 0 else {
        if zmq_errno() == EINTR { continue }
        isDrained = true
        return nil
      }
      isDrained = false
      take(&part, into: &received, maximumFrames: maximumFrames, maximumBytes: maximumBytes)
      guard zmq_msg_more(&part) == 0 else { continue }
      // All frames come by the same connection, and asking costs as much as receiving. The first one does not tell where
      // libzmq was asked before whether there is a message: then a ROUTER has made that frame itself (4.3.4).
      received.descriptor = zmq_msg_get(&part, ZMQ_SRCFD)
      return received
    }
  }

  private func take(
    _ part: inout zmq_msg_t, into received: inout Message, maximumFrames: Int, maximumBytes: Int
  ) {
    let size = zmq_msg_size(&part)
    received.bytes += size
    guard !received.isCut, received.frames.count < maximumFrames, received.bytes <= maximumBytes else {
      received.isCut = true
      return
    }
    received.frames.append([UInt8](UnsafeRawBufferPointer(start: zmq_msg_data(&part), count: size)))
  }

  /// Readable when the state of the socket may have changed.
  var changeDescriptor: Int32 {
    var descriptor: Int32 = -1
    var length = MemoryLayout<Int32>.size
    zmq_getsockopt(handle, ZMQ_FD, &descriptor, &length)
    return descriptor
  }

  var hasInput: Bool {
    var events: Int32 = 0
    var length = MemoryLayout<Int32>.size
    guard zmq_getsockopt(handle, ZMQ_EVENTS, &events, &length) == 0 else { return false }
    return events & ZMQ_POLLIN != 0
  }

  /// Only where it is asked for: an IPv6 socket tells its IPv4 address in a form that few would recognize.
  private func allowIPv6(where address: String) { set(ZMQ_IPV6, Int32(address.contains("[") ? 1 : 0)) }

  func set<Value: BitwiseCopyable>(_ option: Int32, _ value: Value) {
    withUnsafeBytes(of: value) { _ = zmq_setsockopt(handle, option, $0.baseAddress, $0.count) }
  }
}
