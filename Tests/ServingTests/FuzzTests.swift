import Coordination
import Glibc
import JobStorage
import PipelineModel
import PluginTestKit
import Testing
import WireProtocol
import ZeroMQTransport

/// `CARBONTUBE_FUZZ_MESSAGES` says how many messages, `CARBONTUBE_FUZZ_SEED` which ones.
@Suite("Messages that make no sense", .timeLimit(.minutes(60)))
struct FuzzTests {
  private static func variable(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

  /// Kilobytes.
  private func residentMemory() throws -> Int {
    let file = fopen("/proc/self/statm", "r")
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 256)
    guard let file, fgets(&buffer, 256, file) != nil else { throw Unexpected("no /proc/self/statm") }
    let words = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
      separator: " ")
    return (Int(words[1]) ?? 0) * 4
  }

  @Test func `trap nothing, grow nothing, and stop nobody`() throws {
    let wanted = Self.variable("CARBONTUBE_FUZZ_MESSAGES")
    let count = Int(wanted ?? 20_000)
    // Fixed, so that a failure comes again.
    let seed = Self.variable("CARBONTUBE_FUZZ_SEED") ?? 14
    print("fuzz: \(count) messages, seed \(seed)")
    let phases = [PhaseDefinition(jobType: "puppet"), PhaseDefinition(jobType: "glue")]
    let cluster = try Cluster(phases: phases, workersPerPhase: 0)
    defer { cluster.stop() }
    let worker = try RawWorker("real", at: cluster.server)
    var fuzzer = MessageFuzzer(seed: seed)
    let flood = try Flood(cluster.server)
    var afterFirstFifth = 0
    for number in 0..<count {
      if number % 200 == 0 {
        fuzzer.leases = leases(of: worker) + fuzzer.leases.suffix(50)
        try flood.drain()
      }
      if number == count / 5 { afterFirstFifth = try residentMemory() }
      if number % 4 == 0 {
        try flood.send([fuzzer.wordOfWorker()])
      } else {
        try flood.send(fuzzer.intakeMessage())
      }
    }
    let client = try RawClient(cluster.server)
    #expect(try client.request("ping").reply.code == .ok, "seed \(seed)")
    #expect(try client.request("status").reply.code == .ok, "seed \(seed)")
    let growth = try residentMemory() - afterFirstFifth
    // Other suites grow in the same process, unless this one was asked for by itself (scripts/fuzz).
    #expect(growth < (wanted == nil ? 800_000 : 200_000), "\(growth) KiB more, seed \(seed)")
  }

  private func leases(of worker: RawWorker) -> [(token: UInt64, job: String)] {
    worker.sayHello(concurrency: 16)
    return worker.takeOrders().map { ($0.token.number, $0.job.text) }
  }
}

/// Sends as fast as the coordinator takes it, and forgets the answers.
private struct Flood {
  private let context: SocketContext
  private let intake: Socket
  private let poller = Poller()

  init(_ server: PipelineServer) throws {
    context = try SocketContext()
    intake = try Socket(.dealer, in: context)
    try intake.connect(server.intakeAddress)
    poller.add(intake)
  }

  func send(_ frames: [[UInt8]]) throws {
    guard !frames.isEmpty else { return }
    let deadline = ContinuousClock.now + patience
    while !intake.send(frames) {
      guard ContinuousClock.now < deadline else { throw Unexpected("the coordinator takes no more messages") }
      poller.wait(timeoutMilliseconds: 1)
      while intake.receive() != nil {}
    }
  }

  /// Forgets what was answered, and waits until what was sent before has been read.
  func drain() throws {
    let ping = Request(request: 0x1234_5678_9abc, pipeline: "test", verb: "ping").encoded()
    try send([ping, Array("{}".utf8)])
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
      while let frames = intake.receive() {
        if let reply = try? Reply(decoding: frames[0]), reply.request == 0x1234_5678_9abc, reply.code == .ok { return }
      }
      poller.wait(timeoutMilliseconds: 100)
    }
    throw Unexpected("no answer to a ping")
  }
}
