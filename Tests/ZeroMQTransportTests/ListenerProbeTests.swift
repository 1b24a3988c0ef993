import Glibc
import Testing

@testable import ZeroMQTransport

@Suite("What is found where nobody answers", .timeLimit(.minutes(15)))
struct ListenerProbeTests {
  private let patient = 30_000

  @Test func `Sockets of ZeroMQ say their kind`() throws {
    let context = try SocketContext()
    let router = try Socket(.router, in: context)
    let subscriber = try Socket(.subscribe, in: context)
    for (socket, kind) in [(router, "ROUTER"), (subscriber, "SUB")] {
      let address = try socket.bind("tcp://127.0.0.1:*")
      #expect(ListenerProbe.look(at: address, withinMilliseconds: patient) == .socket(kind))
    }
  }

  @Test func `Nobody, hosts that are none, and other services`() throws {
    #expect(
      ListenerProbe.look(at: "ipc:///tmp/carbontube-nobody-listens", withinMilliseconds: patient) == .nobody)
    #expect(
      ListenerProbe.look(at: "tcp://no.such.host.invalid:1", withinMilliseconds: patient)
        == .unknownHost("no.such.host.invalid"))
    let listener = try Listener()
    #expect(ListenerProbe.look(at: listener.address, withinMilliseconds: 300) == .silent)
    listener.answer("HTTP/1.1 400 Bad Request\r\n\r\n")
    #expect(ListenerProbe.look(at: listener.address, withinMilliseconds: patient) == .otherProtocol)
    let address = listener.address
    listener.close()
    #expect(ListenerProbe.look(at: address, withinMilliseconds: patient) == .nobody)
  }

  @Test(arguments: [
    "", "READY", "\u{5}READY\u{B}Socket-Type", "\u{5}READY\u{B}Socket-Type\0\0\0\u{7f}ROUTER",
  ])
  func `A command that is cut off tells nothing`(command: String) {
    #expect(ListenerProbe.socketType(in: [UInt8](repeating: 0, count: 66) + Array(command.utf8)) == nil)
  }

  /// Accepts, and says nothing or one thing.
  private final class Listener {
    private let descriptor: Int32
    let address: String

    init() throws {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      self.descriptor = descriptor
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let status = withUnsafeMutablePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, length) | listen(descriptor, 8) | getsockname(descriptor, $0, &length)
        }
      }
      try #require(status == 0)
      address = "tcp://127.0.0.1:\(UInt16(bigEndian: name.sin_port))"
    }

    /// The next two connections: the one that the kernel has taken already, and the next.
    func answer(_ text: String) {
      let descriptor = descriptor
      _ = LoopThread(name: "listener") {
        for _ in 0..<2 {
          let connection = accept(descriptor, nil, nil)
          _ = send(connection, text, text.utf8.count, Int32(MSG_NOSIGNAL))
          Glibc.close(connection)
        }
      }
    }

    func close() { Glibc.close(descriptor) }
  }
}
