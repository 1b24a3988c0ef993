import Testing

@testable import ZeroMQTransport

/// What a message says of the connection that it came by.
@Suite("Messages and their connections", .timeLimit(.minutes(15)))
struct MessageTests {
  private enum Way: CaseIterable {
    /// The poller asks the socket whether there is something: a ROUTER then has the peer's name ready by itself.
    case polled
    /// Messages that follow one another.
    case atOnce
  }

  @Test(arguments: Way.allCases)
  private func `Each tells its connection, however it was waited for`(_ way: Way) throws {
    let context = try SocketContext()
    let router = try Socket(.router, in: context)
    let monitor = try PeerMonitor(of: router, name: "peers")
    let address = try router.bind("tcp://127.0.0.1:*")
    let dealer = try Socket(.dealer, in: context)
    try dealer.connect(address)
    let poller = Poller()
    poller.add(router, as: 1)
    var messages: [Socket.Message] = []
    for number in 0..<4 {
      #expect(dealer.send([[UInt8(number)], [], [1, 2, 3]]))
      guard way == .polled || number == 3 else { continue }
      while messages.count < number + 1 {
        poller.wait(timeoutMilliseconds: 1_000)
        while let message = router.receiveMessage(maximumBytes: 1_000) { messages.append(message) }
      }
    }
    let connection = try #require(monitor.events().first { $0.isUp }?.descriptor)
    #expect(messages.count == 4 && messages.allSatisfy { $0.descriptor == connection && $0.frames.count == 4 })
  }
}
