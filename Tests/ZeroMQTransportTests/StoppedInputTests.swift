import Glibc
import Testing

@testable import ZeroMQTransport

@Suite("A peer of which more waits than may", .timeLimit(.minutes(15)))
struct StoppedInputTests {
  /// Without `CStoppedInput` libzmq ends this process: `!_io_error`.
  @Test func `that sends a heartbeat and resets its connection takes nobody along`() throws {
    let context = try SocketContext()
    let router = try Socket(.router, in: context, receiveHighWaterMark: 100)
    let monitor = try PeerMonitor(of: router, name: "stopped-input")
    let address = try router.bind("tcp://127.0.0.1:*")
    let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
    for _ in 0..<20 {
      let peer = try RawPeer(port)
      var arrived: Int32?
      try until {
        arrived = monitor.events().last { $0.isUp }?.descriptor ?? arrived; return arrived != nil
      }
      let descriptor = try #require(arrived)
      let sent = peer.greet() + peer.say(messages: 150)
      // libzmq has read all of it, and keeps what goes beyond the mark.
      try until {
        var unread: Int32 = 0
        _ = ioctl(descriptor, UInt(FIONREAD), &unread)
        return PeerMonitor.bytesReceived(on: descriptor) == UInt64(sent) && unread == 0
      }
      peer.reset()
      var count = 0
      try until {
        while router.receive() != nil { count += 1 }
        return count == 151
      }
      try until { monitor.events().contains { !$0.isUp && $0.descriptor == descriptor } }
    }
  }

  private func until(sourceLocation: SourceLocation = #_sourceLocation, _ isSo: () -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while !isSo() {
      try #require(ContinuousClock.now < deadline, sourceLocation: sourceLocation)
      sched_yield()
    }
  }
}

/// Speaks ZMTP 3.1 by hand, as a DEALER.
private final class RawPeer {
  private let descriptor: Int32

  init(_ port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    name.sin_port = port.bigEndian
    let status = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(status == 0)
  }

  deinit { if !isClosed { close(descriptor) } }

  private var isClosed = false

  /// Returns once both sides are ready.
  /// - Returns: the bytes that were sent.
  func greet() -> Int {
    let greeting: [UInt8] =
      [0xff] + Array(repeating: 0, count: 8) + [0x7f, 3, 1] + Array("NULL".utf8) + Array(repeating: 0, count: 48)
    let ready: [UInt8] =
      [5] + Array("READY".utf8) + [11] + Array("Socket-Type".utf8) + [0, 0, 0, 6] + Array("DEALER".utf8)
    let sent = send(greeting + [4, UInt8(ready.count)] + ready)
    let length = receive(66)[65]
    _ = receive(Int(length))
    return sent
  }

  /// So many messages, a PING that is to be answered, and one message more.
  /// - Returns: the bytes that were sent.
  func say(messages count: Int) -> Int {
    let message: [UInt8] = [0, 1, 0x78]
    let ping: [UInt8] = [4, 7, 4] + Array("PING".utf8) + [0, 5]
    return send(Array(repeatElement(message, count: count).joined()) + ping + message)
  }

  private func send(_ bytes: [UInt8]) -> Int { write(descriptor, bytes, bytes.count) }

  private func receive(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    _ = recv(descriptor, &bytes, count, Int32(MSG_WAITALL))
    return bytes
  }

  /// The kernel of the other side hears of an error, not of an end.
  func reset() {
    var at = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at, socklen_t(MemoryLayout<linger>.size))
    close(descriptor)
    isClosed = true
  }
}
