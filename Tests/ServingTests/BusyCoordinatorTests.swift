import Glibc
import JobStorage
import PipelineModel
import PluginTestKit
import Testing
import WireProtocol
import ZeroMQTransport

@Suite("A coordinator that is asked for a lot", .timeLimit(.minutes(15)))
struct BusyCoordinatorTests {
  private let puppet = PhaseDefinition(jobType: "puppet")

  private func request(_ number: UInt64, _ verb: String, _ arguments: String = "{}") -> [[UInt8]] {
    [Request(request: number, pipeline: "test", verb: verb).encoded(), Array(arguments.utf8)]
  }

  @Test func `Reads that hang hold up neither turns nor status, and each peer has a share of them`() throws {
    let gate = ReaderGate()
    let ownerships = Arrivals()
    let cluster = try Cluster(phases: [puppet], storage: SlowReadingStore(gate, ownerships: ownerships))
    defer { cluster.stop() }
    defer { gate.open() }
    let reader = try RawClient(cluster.server)
    // One is being read, seven wait, the rest hear that it is too much.
    for number in 1...20 { try reader.send(request(UInt64(number), "jobs")) }
    var busy = 0
    for _ in 0..<12 { busy += try RawClient.reply(in: try reader.receive()).reply.code == .busy ? 1 : 0 }
    #expect(busy == 12)
    let client = try RawClient(cluster.server)
    #expect(try client.enqueue([#"{"do":"echo"}"#]).map(\.code) == [.ok])
    #expect(try client.request("status").reply.code == .ok)
    let waiting = #"{"id":"nobody"}"#
    #expect(try client.request("action", waiting).reply.code == .notFound)
    // The owner of the store goes on proving that it is there.
    ownerships.wait(for: 3)
    gate.open()
    for _ in 0..<8 { #expect(try RawClient.reply(in: try reader.receive()).reply.code == .ok) }
    #expect(try cluster.finished.wait(for: 1).first?.state == .succeeded)
  }

  @Test func `A read that fails is that read's failure`() throws {
    let gate = ReaderGate()
    gate.open()
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0, storage: SlowReadingStore(gate, isBroken: true))
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    for _ in 0..<3 {
      #expect(try client.request("jobs").reply.message == "no such page on purpose")
      #expect(try client.enqueue(["{}"]).map(\.code) == [.ok])
    }
    #expect(try client.request("status").json.contains(#""state":"open""#))
  }

  @Test func `A chart whose steps are longer than its span is one step`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    _ = try client.enqueue(["{}"])
    let history = try client.request("history", #"{"minutes":1,"step":1440}"#)
    #expect(history.reply.code == .ok && history.json.contains(#""step_minutes":1440"#))
    // What was counted a moment ago is in it, wherever it is kept.
    #expect(history.json.contains(#""enqueued":1,"#), "\(history.json)")
    #expect(try client.request("metrics").json.contains(#""enqueued":1,"#))
  }

  @Test func `Few jobs are changed at once, many in the background, step by step`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    var prefix = ""
    for _ in 0..<5 {
      let replies = try client.enqueue(Array(repeating: "{}", count: 1_000))
      // Ids begin with the time: two digits of it last for weeks.
      prefix = String(try #require(replies.first?.id).text.prefix(2))
    }
    #expect(try client.request("count", #"{"id_prefix":"\#(prefix)"}"#).json == #"{"count":5000,"more":false}"#)
    #expect(try client.request("count", #"{"states":["waiting"]}"#).json == #"{"count":5000,"more":false}"#)
    let begun = try client.request("cancel", #"{"states":["waiting"]}"#)
    #expect(begun.reply.code == .ok && begun.json.contains(#""state":"running""#), "\(begun.json)")
    let id = try #require(begun.json.firstMatch(of: /"action":"([^"]+)"/)).1
    let deadline = ContinuousClock.now + patience
    var action = ""
    while ContinuousClock.now < deadline, !action.contains(#""state":"done""#) {
      action = try client.request("action", #"{"id":"\#(id)"}"#).json
    }
    #expect(action.contains(#""changed":5000"#), "\(action)")
    #expect(try client.request("actions").json.contains(#""verb":"cancel""#))
    #expect(try client.request("count", #"{"states":["cancelled"]}"#).json == #"{"count":5000,"more":false}"#)
    _ = try client.enqueue(Array(repeating: "{}", count: 700))
    #expect(try client.request("delete", #"{"states":["waiting"]}"#).json == #"{"deleted":700}"#)
    #expect(try client.request("stop-action", #"{"id":"nobody"}"#).reply.code == .notFound)
  }

  @Test func `Who stops an action hears of all that it changed`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0, storage: FaultyJobStore { _ in nil })
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    for _ in 0..<10 { _ = try client.enqueue(Array(repeating: "{}", count: 1_000)) }
    for (verb, from) in [("cancel", "waiting"), ("requeue", "cancelled"), ("cancel", "waiting")] {
      let begun = try client.request(verb, #"{"states":["\#(from)"]}"#).json
      let id = try #require(begun.firstMatch(of: /"action":"([^"]+)"/)?.1, "\(begun)")
      let stopped = try client.request("stop-action", #"{"id":"\#(id)"}"#).json
      let changed = try #require(stopped.firstMatch(of: /"changed":(\d+)/)?.1)
      #expect(try client.request("action", #"{"id":"\#(id)"}"#).json.contains(#""changed":\#(changed),"#))
      let into = verb == "cancel" ? "cancelled" : "waiting"
      let count = try client.request("count", #"{"states":["\#(into)"]}"#).json
      #expect(count == #"{"count":\#(changed),"more":false}"#)
      _ = try client.request(verb, #"{"states":["\#(from)"]}"#)
      try waitUntilNothing(from, client)
    }
  }

  private func waitUntilNothing(_ state: String, _ client: RawClient) throws {
    let deadline = ContinuousClock.now + patience
    while try client.request("count", #"{"states":["\#(state)"]}"#).json != #"{"count":0,"more":false}"# {
      try #require(ContinuousClock.now < deadline)
    }
  }

  @Test func `Single jobs are answered for by name`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    let id = try #require(JobID("mine"))
    _ = try client.enqueue([Array("{}".utf8)], id: id)
    let requeue = try client.request("requeue", #"{"id":"mine"}"#).reply
    #expect(requeue.code == .invalid && requeue.message.contains("job 'mine' is waiting"))
    for verb in ["requeue", "delete", "cancel"] {
      #expect(try client.request(verb, #"{"id":"nobody"}"#).reply.code == .notFound)
      for nothing in ["{}", #"{"id_prefix":""}"#, #"{"states":[]}"#, #"{"stats":["dead"]}"#] {
        #expect(try client.request(verb, nothing).reply.code == .invalid, "\(verb) \(nothing)")
      }
    }
    #expect(try client.request("cancel", #"{"id":"mine"}"#).json == #"{"was":"waiting"}"#)
    #expect(try client.request("requeue", #"{"id":"mine"}"#).json == #"{"requeued":1}"#)
    #expect(try client.request("delete", #"{"id":"mine"}"#).json == #"{"deleted":1}"#)
  }

  @Test func `A requeue brings instructions for one job, and only such as a job may have`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0, maximumInstructionsBytes: 1 << 20)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    let id = try #require(JobID("mine"))
    _ = try client.enqueue([Array("{}".utf8)], id: id)
    func edit(_ text: [UInt8], _ arguments: String = #"{"id":"mine"}"#, verb: String = "requeue") throws -> Reply {
      try client.request(verb, arguments, instructions: [text]).reply
    }
    let fine = Array(#"{"a":1}"#.utf8)
    let waits = try edit(fine)
    #expect(waits.code == .invalid && waits.message.contains("job 'mine' is waiting; dead, cancelled and delayed"))
    _ = try client.request("cancel", #"{"id":"mine"}"#)
    for bad in ["", "[1]", "{", #"{"a":01}"#] {
      #expect(try edit(Array(bad.utf8)).message.contains("one JSON object"), "\(bad)")
    }
    let large = Array(#"{"a":"\#(String(repeating: "x", count: 1 << 20))"}"#.utf8)
    for payload in [large, CompressedJSON.compress(large)] {
      let refused = try edit(payload)
      #expect(refused.code == .invalid && refused.message.contains("larger than the limit of 1048576 bytes"))
    }
    for arguments in [#"{"states":["cancelled"]}"#, #"{"id":"mine","states":["cancelled"]}"#, "{}"] {
      #expect(try edit(fine, arguments).code == .invalid, "\(arguments)")
    }
    #expect(try edit(fine, verb: "cancel").message.contains("'cancel' takes no instructions"))
    #expect(try edit(fine, #"{"id":"nobody"}"#).code == .notFound)
    #expect(try client.request("job", #"{"id":"mine"}"#).json.contains(#""state":"cancelled""#))
    let compressed = CompressedJSON.compress(Array(#"{"a":2}"#.utf8))
    let done = try client.request("requeue", #"{"id":"mine"}"#, instructions: [compressed])
    #expect(done.reply.code == .ok && done.json == #"{"requeued":1}"#)
    #expect(try client.request("job", #"{"id":"mine"}"#).json.contains(#""state":"waiting""#))
  }

  @Test func `A message may have so many bytes in all`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    let large = Array(#"{"a":"\#(String(repeating: "x", count: 1_000_000))"}"#.utf8)
    let replies = try client.enqueue(Array(repeating: large, count: 70))
    #expect(replies.count == 70 && replies.allSatisfy { $0.code == .invalid && $0.message.contains("fewer jobs") })
    #expect(try client.enqueue(Array(repeating: large, count: 5)).allSatisfy { $0.code == .ok })
  }

  @Test func `Payloads that take long to look at do not hold up others`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0, maximumInstructionsBytes: 4 << 20)
    defer { cluster.stop() }
    let bomb = CompressedJSON.compress(Array(#"{"a":"\#(String(repeating: "x", count: 4_000_000))"}"#.utf8))
    let heavy = try RawClient(cluster.server)
    let jobs = (0..<300).map { _ in EnqueueRequest.Job(id: nil) }
    try heavy.send(
      [EnqueueRequest(request: 1, pipeline: "test", jobs: jobs).encoded()] + Array(repeating: bomb, count: 300))
    let client = try RawClient(cluster.server)
    #expect(try client.request("ping").reply.code == .ok)
    let reply = try EnqueueReply(decoding: try #require(try heavy.receive().first))
    #expect(reply.jobs.count == 300 && reply.jobs.allSatisfy { $0.code == .ok })
  }

  @Test func `A peer whose message never ends is shown out`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    for address in [cluster.server.intakeAddress, cluster.server.eventsAddress] {
      let port = try #require(parsePort(address))
      let peer = try EndlessPeer(
        port: UInt16(port), socketType: address == cluster.server.eventsAddress ? "PUB" : "DEALER")
      // Far more than the bound: sending it all would mean that nobody showed it out.
      let sent = peer.send(upTo: 2 << 30)
      #expect(sent < 2 << 30)
    }
    #expect(try RawClient(cluster.server).request("ping").reply.code == .ok)
  }
}

/// Speaks ZMTP 3.0 as far as needed to send the parts of a message without a last one.
private final class EndlessPeer {
  private let descriptor: Int32

  init(port: UInt16, socketType: String) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw Unexpected("cannot connect") }
    var greeting: [UInt8] = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]
    greeting += Array("NULL".utf8) + Array(repeating: 0, count: 48)
    let property = Array("Socket-Type".utf8)
    let body =
      [5] + Array("READY".utf8) + [UInt8(property.count)] + property + [0, 0, 0, UInt8(socketType.utf8.count)]
      + Array(socketType.utf8)
    write(greeting + [4, UInt8(body.count)] + body)
  }

  deinit { close(descriptor) }

  private func write(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

  /// - Returns: how many bytes it could send until it was shown out.
  func send(upTo limit: Int) -> Int {
    let size = 500_000
    let length = (0..<8).reversed().map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
    // A long frame with more to come. Subscribers match its first bytes.
    let frame = [0x03] + length + [0x43, 0x54, 1] + Array(repeating: 0, count: size - 3)
    var sent = 0
    while sent < limit {
      var rest = frame[...]
      while !rest.isEmpty {
        guard mayGoOn() else { return sent }
        let count = rest.withUnsafeBytes {
          Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        guard count > 0 else { return sent }
        rest = rest.dropFirst(count)
        sent += count
      }
    }
    return sent
  }

  /// POLLRDHUP of poll(2), which glibc shows to GNU sources only.
  private static let closedByPeer: Int16 = 0x2000

  /// Waits until more can be sent.
  /// - Returns: false once the other side has closed. Whoever sends into a full window may not be told for a minute.
  private func mayGoOn() -> Bool {
    var state = pollfd(fd: descriptor, events: Int16(POLLOUT) | Self.closedByPeer, revents: 0)
    while poll(&state, 1, -1) < 0 {}
    return state.revents & ~Int16(POLLOUT) == 0
  }
}
