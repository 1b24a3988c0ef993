import PhaseServing
import PipelineModel
import PluginTestKit
import Testing
import WireProtocol
import ZeroMQTransport

@Suite("A coordinator that has two addresses", .timeLimit(.minutes(15)))
struct TwoAddressesTests {
  /// One of its addresses; whoever says hello there is welcome.
  private final class Door {
    let socket: Socket
    let address: String
    var hellos = 0
    private var route: [UInt8]?

    init(in context: SocketContext) throws {
      socket = try Socket(.router, in: context)
      address = try socket.bind("tcp://127.0.0.1:*")
    }

    func answer() throws {
      while let frames = socket.receive() {
        guard try Prologue.kind(of: frames[1]) == .hello else { continue }
        hellos += 1
        guard route != frames[0] else { continue }
        route = frames[0]
        let welcome = Welcome(
          worker: try Hello(decoding: frames[1]).worker, coordinator: "one run", pipeline: "test",
          maximumInstructionsBytes: 1 << 20)
        _ = socket.send([frames[0], welcome.encoded()])
      }
    }
  }

  @Test func `is served by the other one where the first is down`() throws {
    let (context, poller) = (try SocketContext(), Poller())
    let events = try Socket(.subscribe, in: context)
    let meetingAddress = try events.bind("tcp://127.0.0.1:*")
    poller.add(events, as: 0)
    var doors = try (0..<2).map { _ in try Door(in: context) }
    for (index, door) in doors.enumerated() {
      events.subscribe(to: MeetingTopic.topic(for: door.address))
      poller.add(door.socket, as: index + 1)
    }
    func until(_ what: String, _ isSo: () -> Bool) throws {
      let deadline = ContinuousClock.now + patience
      while !isSo() {
        guard ContinuousClock.now < deadline else { throw Unexpected("not \(what): \(doors.map(\.hellos))") }
        poller.wait(timeoutMilliseconds: 100)
        // Its subscriptions go out only while it is asked for messages.
        while events.receive() != nil {}
        for door in doors { try door.answer() }
      }
    }

    var settings = PhaseServerSettings(
      library: "\(buildFolder)/libFixturePlugin.so", jobType: "puppet", logger: silentLogger)
    settings.meetingAddresses = [meetingAddress]
    let worker = try PhaseServer(settings)
    worker.start()
    defer {
      worker.stop()
      worker.waitUntilStopped()
    }
    try until("found by both") { doors.allSatisfy { $0.hellos > 0 } }
    // Hellos come each second.
    try until("served by one") { abs(doors[0].hellos - doors[1].hellos) > 3 }
    let kept = doors[0].hellos > doors[1].hellos ? 0 : 1
    poller.remove(doors[kept].socket)
    doors.remove(at: kept)
    let before = doors[0].hellos
    try until("served by the other") { doors[0].hellos > before + 1 }
  }
}
