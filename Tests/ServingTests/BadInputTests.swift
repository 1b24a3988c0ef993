import Coordination
import JobStorage
import PhaseServing
import PipelineModel
import PluginTestKit
import Testing
import WireProtocol
import ZeroMQTransport

@Suite("Bad input loses nothing and stops nobody", .timeLimit(.minutes(15)))
struct BadInputTests {
  private let puppet = PhaseDefinition(jobType: "puppet")

  /// Half of them look like ours up to the kind, so that they reach every decoder.
  private func garbage(_ generator: inout SystemRandomNumberGenerator) -> [[UInt8]] {
    (0..<Int.random(in: 1...3, using: &generator)).map { index in
      var frame = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: 0...255) }
      if index == 0, Bool.random(using: &generator), let kind = MessageKind.allCases.randomElement() {
        frame = [0x43, 0x54, Bool.random() ? 1 : 2, kind.rawValue] + frame
      }
      return frame
    }
  }

  private func flood(_ socket: Socket, frames: Int) {
    var generator = SystemRandomNumberGenerator()
    var sent = 0
    let poller = Poller()
    while sent < frames {
      if socket.send(garbage(&generator)) { sent += 1 } else { poller.wait(timeoutMilliseconds: 1) }
    }
  }

  @Test func `10,000 random messages to each socket change nothing`() throws {
    let cluster = try Cluster(phases: [puppet])
    defer { cluster.stop() }
    let context = try SocketContext()
    for (pattern, address) in [
      (Socket.Pattern.dealer, cluster.server.intakeAddress), (.publish, cluster.server.eventsAddress),
    ] {
      let socket = try Socket(pattern, in: context, highWaterMark: 0, lingerMilliseconds: 10_000)
      try socket.connect(address)
      if pattern == .publish { awaitSubscriber(socket) }
      flood(socket, frames: 10_000)
    }
    let client = try RawClient(cluster.server)
    let replies = try client.enqueue(Array(repeating: #"{"do":"echo"}"#, count: 100))
    #expect(replies.allSatisfy { $0.code == .ok })
    let jobs = try cluster.finished.wait(for: 100)
    #expect(jobs.count == 100 && jobs.allSatisfy { $0.state == .succeeded })
    let status = try client.request("status").json
    #expect(!status.contains(#""malformed_messages":0"#))
    #expect(status.contains(#""succeeded":100"#))
  }

  private func awaitSubscriber(_ socket: Socket) {
    let poller = Poller()
    poller.add(socket)
    poller.wait(timeoutMilliseconds: 10_000)
    _ = socket.receive()
  }

  @Test(arguments: ["[]", "7", "", "{", #"{"a":}"#, "null", #"{"a":1} {"b":2}"#, "\u{feff}{}x"])
  func `Instructions that are not one object are refused`(instructions: String) throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    let reply = try #require(try client.enqueue([instructions]).first)
    #expect(reply.code == .invalid)
    #expect(reply.message.contains("JSON object"))
    #expect(try client.request("status").json.contains(#""waiting":0"#))
  }

  @Test func `Instructions over the limit are refused, also when they are small only while compressed`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0, maximumInstructionsBytes: 10_000)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    let large = Array(#"{"a":"\#(String(repeating: "x", count: 10_000))"}"#.utf8)
    for payload in [large, CompressedJSON.compress(large)] {
      let reply = try #require(try client.enqueue([payload]).first)
      #expect(reply.code == .invalid)
      #expect(reply.message.contains("limit of 10000 bytes"))
    }
  }

  @Test func `Measures of a worker are bounded, and those of whoever is none count for nothing`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    let (worker, stranger) = (try RawWorker("w", at: cluster.server), try RawWorker("s", at: cluster.server))
    _ = try worker.next(.welcome) { $0.sayHello() }
    func report(_ name: String, of worker: RawWorker) {
      let measures = [PhaseMeasure(name: name, reading: .counter(1))]
      worker.send(MeasuresReport(worker: worker.id, measures: measures).encoded())
    }
    report("strange", of: stranger)
    // Its welcome comes behind that.
    _ = try stranger.next(.welcome) { $0.sayHello() }
    for index in 0..<200 { report("n\(index)", of: worker) }
    worker.send(
      MeasuresReport(worker: stranger.id, measures: [PhaseMeasure(name: "n0", reading: .counter(1))]).encoded())
    report("n0", of: worker)
    let deadline = ContinuousClock.now + patience
    var told = ""
    while !told.contains(#""name":"n0","phase":"puppet","value":2"#), ContinuousClock.now < deadline {
      told = try client.request("totals").json
    }
    #expect(told.split(separator: #""kind""#).count - 1 == PhaseMeasure.maximumNames)
    #expect(!told.contains("strange"))
  }

  @Test func `A request is judged job by job`() throws {
    let cluster = try Cluster(phases: [puppet])
    defer { cluster.stop() }
    let replies = try RawClient(cluster.server).enqueue([#"{"do":"echo"}"#, "nonsense", #"{"do":"echo"}"#])
    #expect(replies.map(\.code) == [.ok, .invalid, .ok])
    #expect(try cluster.finished.wait(for: 2).allSatisfy { $0.state == .succeeded })
  }

  @Test func `Another pipeline's name is refused with the right one`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let reply = try #require(try RawClient(cluster.server).enqueue(["{}"], pipeline: "other").first)
    #expect(reply.code == .invalid)
    #expect(reply.message == "this coordinator runs pipeline 'test', not 'other'")
  }

  @Test func `The same id twice is one job, and the answer says so`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    let id = try #require(JobID("mine"))
    #expect(try client.enqueue([Array("{}".utf8)], id: id).map(\.code) == [.ok])
    let second = try #require(try client.enqueue([Array("{}".utf8)], id: id).first)
    #expect(second.code == .duplicate)
    #expect(second.id == id)
    #expect(try client.request("status").json.contains(#""waiting":1"#))
  }

  @Test func `An id with a mark that is kept for jobs of jobs is refused, and others are not`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    let (kept, free) = (try #require(JobID("parent~1")), try #require(JobID("parent-1")))
    let reply = try #require(try client.enqueue([Array("{}".utf8)], id: kept).first)
    #expect(reply.code == .invalid && reply.message.contains("choose an id without it"), "\(reply)")
    #expect(try client.enqueue([Array("{}".utf8)], id: free).map(\.code) == [.ok])
    #expect(try client.request("status").json.contains(#""waiting":1"#))
  }

  @Test func `Unknown verbs, phases and jobs are refused by name`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    #expect(try client.request("explode").reply.message == "unknown verb 'explode'")
    #expect(try client.request("pause", #"{"phase":"nope"}"#).reply.message.contains("has puppet"))
    #expect(try client.request("job", #"{"id":"nope"}"#).reply.code == .notFound)
    #expect(try client.request("job", "7").reply.code == .invalid)
    #expect(try client.request("job", #"{"id":""}"#).reply.code == .invalid)
  }

  @Test func `A taken address is told by name`() throws {
    let cluster = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { cluster.stop() }
    let error = #expect(throws: PipelineServerError.self) {
      try Cluster(phases: [puppet], workersPerPhase: 0) { $0.intakeAddress = cluster.server.intakeAddress }
    }
    let taken = "cannot listen on \(cluster.server.intakeAddress): another program listens there"
    #expect(error?.message.hasPrefix(taken) == true, "\(String(describing: error))")
  }

  @Test func `A file that is not there, and a phase the file does not have, are told by name`() throws {
    let missing = #expect(throws: PhaseServerError.self) {
      try PhaseServer(PhaseServerSettings(library: "/nowhere/libX.so", jobType: "puppet"))
    }
    #expect(missing?.kind == .noInput)
    #expect(missing?.message.contains("/nowhere/libX.so") == true)
    let unknown = #expect(throws: PhaseServerError.self) {
      try PhaseServer(PhaseServerSettings(library: "\(buildFolder)/libFixturePlugin.so", jobType: "nope"))
    }
    #expect(unknown?.message.contains("puppet, lister") == true)
  }
}
