import Glibc
import Testing

@testable import ZeroMQTransport

/// What a wait must never miss: libzmq's descriptor tells of changes only, and other calls can take the news of them.
@Suite(.timeLimit(.minutes(15)))
struct PollerTests {
  private let context: SocketContext
  private let router: Socket
  private let dealer: Socket
  private let poller = Poller()
  private let long = 20_000

  init() throws {
    context = try SocketContext()
    router = try Socket(.router, in: context)
    dealer = try Socket(.dealer, in: context)
    try dealer.connect(try router.bind("tcp://127.0.0.1:*"))
  }

  /// Both ways, so that each knows the other.
  private func greet() throws -> [UInt8] {
    #expect(dealer.send([[1]]))
    poller.add(router, as: 7)
    poller.wait(timeoutMilliseconds: long)
    #expect(poller.ready == [7])
    return try #require(router.receive()?.first)
  }

  @Test func aWaitEndsWithTheMessage() throws {
    _ = try greet()
    #expect(router.receive() == nil)
    #expect(dealer.send([[2]]))
    poller.wait(timeoutMilliseconds: long)
    #expect(poller.ready == [7])
    #expect(router.receive()?.last == [2])
    #expect(router.receive() == nil)
    poller.wait(timeoutMilliseconds: 0)
    #expect(poller.ready.isEmpty)
  }

  @Test func whatIsLeftUnreadEndsTheNextWait() throws {
    _ = try greet()
    for number in 1...3 { #expect(dealer.send([[UInt8(number)]])) }
    var seen: [UInt8] = []
    while seen.count < 3 {
      poller.wait(timeoutMilliseconds: long)
      #expect(poller.ready == [7])
      seen.append(try #require(router.receive()?.last?.first))
    }
    #expect(seen == [1, 2, 3])
  }

  /// A send makes libzmq take what its I/O thread has to tell, the arrival of messages included.
  @Test func aSendBetweenArrivalAndWaitTakesNothingAway() throws {
    let route = try greet()
    for number in 0..<200 {
      #expect(router.receive() == nil)
      #expect(dealer.send([[UInt8(number)]]))
      // Past the time in which libzmq does not look again (its max_command_delay).
      for _ in 0..<3 {
        usleep(500)
        #expect(router.send([route, [9]]))
      }
      poller.wait(timeoutMilliseconds: long)
      #expect(poller.ready == [7])
      #expect(router.receive()?.last == [UInt8(number)])
    }
  }

  @Test func descriptorsAndSocketsAreToldApart() throws {
    _ = try greet()
    #expect(router.receive() == nil)
    let wake = WakeUp()
    poller.add(fileDescriptor: wake.fileDescriptor, as: 1)
    wake.signal()
    poller.wait(timeoutMilliseconds: long)
    #expect(poller.ready == [1])
    wake.clear()
    poller.change(fileDescriptor: wake.fileDescriptor, as: 1, writable: true)
    poller.wait(timeoutMilliseconds: long)
    #expect(poller.ready == [1])
    poller.remove(fileDescriptor: wake.fileDescriptor)
    poller.remove(router)
    #expect(dealer.send([[2]]))
    wake.signal()
    poller.wait(timeoutMilliseconds: 20)
    #expect(poller.ready.isEmpty)
  }
}
