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
    let nobody = try Listener(listens: false)
    #expect(ListenerProbe.look(at: nobody.address, withinMilliseconds: patient) == .nobody)
  }

  @Test(arguments: [
    "", "READY", "\u{5}READY\u{B}Socket-Type", "\u{5}READY\u{B}Socket-Type\0\0\0\u{7f}ROUTER",
  ])
  func `A command that is cut off tells nothing`(command: String) {
    #expect(ListenerProbe.socketType(in: [UInt8](repeating: 0, count: 66) + Array(command.utf8)) == nil)
  }

  /// Accepts, and says nothing or one thing; or has a port for itself and refuses whoever comes.
  private final class Listener {
    private let descriptor: Int32
    let address: String

    init(listens: Bool = true) throws {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      self.descriptor = descriptor
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let status = withUnsafeMutablePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, length) | (listens ? listen(descriptor, 8) : 0) | getsockname(descriptor, $0, &length)
        }
      }
      try #require(status == 0)
      address = "tcp://127.0.0.1:\(UInt16(bigEndian: name.sin_port))"
    }

    /// Whoever connects, until nobody can any more. How many the kernel has taken already is not known: a machine that is
    /// busy may have let the time of a probe pass before it connected.
    func answer(_ text: String) {
      let descriptor = descriptor
      _ = LoopThread(name: "listener") {
        while true {
          let connection = accept(descriptor, nil, nil)
          guard connection >= 0 else { return }
          _ = send(connection, text, text.utf8.count, Int32(MSG_NOSIGNAL))
          Glibc.close(connection)
        }
      }
    }

    // A close alone would leave the socket to the thread that waits in accept().
    deinit {
      shutdown(descriptor, Int32(SHUT_RDWR))
      Glibc.close(descriptor)
    }
  }
}
