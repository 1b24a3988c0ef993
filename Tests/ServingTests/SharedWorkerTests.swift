import Coordination
import PhaseServing
import PipelineModel
import PluginTestKit
import Testing
import WireProtocol
import ZeroMQTransport

@Suite("Workers that several pipelines share", .timeLimit(.minutes(15)))
struct SharedWorkerTests {
  private let puppet = PhaseDefinition(jobType: "puppet")

  private func worker(
    of addresses: [String], slots: Int, _ configure: (inout PhaseServerSettings) -> Void = { _ in }
  ) throws -> PhaseServer {
    var settings = PhaseServerSettings(
      library: "\(buildFolder)/libFixturePlugin.so", jobType: "puppet", logger: silentLogger)
    settings.meetingAddresses = addresses
    settings.concurrency = slots
    settings.quarantineAfter = nil
    configure(&settings)
    let worker = try PhaseServer(settings)
    worker.start()
    return worker
  }

  private func enqueue(_ count: Int, lasting milliseconds: Int, _ cluster: Cluster) throws {
    let job = #"{"do":"sleep","ms":\#(milliseconds)}"#
    let replies = try RawClient(cluster.server).enqueue(Array(repeating: job, count: count))
    #expect(replies.allSatisfy { $0.code == .ok })
  }

  private func stop(_ worker: PhaseServer) {
    worker.stop()
    worker.waitUntilStopped()
  }

  @Test(arguments: [4, 1])
  func `Pipelines of short and of long jobs get the same part of the slots' time`(slots: Int) throws {
    let (short, long) = (
      try Cluster(phases: [puppet], workersPerPhase: 0), try Cluster(phases: [puppet], workersPerPhase: 0)
    )
    defer {
      short.stop()
      long.stop()
    }
    // Two seconds of each slot for either.
    try enqueue(400 * slots / 2, lasting: 10, short)
    try enqueue(60 * slots / 2, lasting: 100, long)
    let worker = try worker(of: [short.server.eventsAddress, long.server.eventsAddress], slots: slots)
    defer { stop(worker) }
    _ = try short.finished.wait(for: 400 * slots / 2)
    let (ofShort, ofLong) = (4_000 * slots / 2, 100 * long.finished.count)
    #expect(abs(ofLong - ofShort) * 5 <= ofShort, "\(ofShort) ms of slots against \(ofLong)")
    _ = try long.finished.wait(for: 60 * slots / 2)
  }

  @Test func `Ten pipelines share two slots, and each job is run once`() throws {
    let clusters = try (0..<10).map { _ in try Cluster(phases: [puppet], workersPerPhase: 0) }
    defer { for cluster in clusters { cluster.stop() } }
    for cluster in clusters { try enqueue(40, lasting: 1, cluster) }
    let worker = try worker(of: clusters.map(\.server.eventsAddress), slots: 2)
    defer { stop(worker) }
    for cluster in clusters {
      let jobs = try cluster.finished.wait(for: 40)
      #expect(jobs.count == 40 && jobs.allSatisfy { $0.state == .succeeded })
      let metrics = try RawClient(cluster.server).request("status").json
      #expect(metrics.contains(#""succeeded":40"#), "\(metrics)")
    }
  }

  @Test func `A worker that served one pipeline alone serves another that comes later`() throws {
    let first = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { first.stop() }
    let forwarder = try RunningForwarder()
    defer { forwarder.stop() }
    let worker = try worker(of: [first.server.eventsAddress, forwarder.forwarder.workersAddress], slots: 1)
    defer { stop(worker) }
    for _ in 0..<3 { try enqueue(1_000, lasting: 1, first) }
    _ = try first.finished.wait(for: 100)
    let second = try Cluster(phases: [puppet], workersPerPhase: 0) {
      $0.forwarders = [forwarder.forwarder.coordinatorsAddress]
    }
    defer { second.stop() }
    try enqueue(50, lasting: 1, second)
    _ = try second.finished.wait(for: 50)
    #expect(first.finished.count < 3_000)
  }

  /// On a thread of its own until it is stopped.
  private final class RunningForwarder {
    let forwarder: Forwarder
    private let thread: LoopThread

    init() throws {
      let forwarder = try Forwarder(workers: "tcp://127.0.0.1:*", coordinators: "tcp://127.0.0.1:*")
      self.forwarder = forwarder
      thread = LoopThread(name: "forwarder") { forwarder.run() }
    }

    func stop() {
      forwarder.stop()
      thread.join()
    }
  }

  @Test func `Pipelines and workers that know only a forwarder find each other`() throws {
    let forwarder = try RunningForwarder()
    defer { forwarder.stop() }
    // The worker is there first: it hears of each that comes.
    let worker = try worker(of: [forwarder.forwarder.workersAddress], slots: 2)
    defer { stop(worker) }
    for _ in 0..<2 {
      let cluster = try Cluster(phases: [puppet], workersPerPhase: 0) {
        $0.forwarders = [forwarder.forwarder.coordinatorsAddress]
      }
      defer { cluster.stop() }
      try enqueue(20, lasting: 1, cluster)
      #expect(try cluster.finished.wait(for: 20).allSatisfy { $0.state == .succeeded })
    }
  }

  @Test func `A pipeline that ends leaves its slots to the other, and what it gave is run`() throws {
    let staying = try Cluster(phases: [puppet], workersPerPhase: 0)
    defer { staying.stop() }
    let leaving = try Cluster(phases: [puppet], workersPerPhase: 0)
    let worker = try worker(of: [staying.server.eventsAddress, leaving.server.eventsAddress], slots: 2)
    defer { stop(worker) }
    try enqueue(200, lasting: 20, leaving)
    try enqueue(100, lasting: 20, staying)
    _ = try leaving.finished.wait(for: 20)
    leaving.stop()
    #expect(try staying.finished.wait(for: 100).allSatisfy { $0.state == .succeeded })
  }

  @Test func `A suspect of one pipeline has a shared worker to itself`() throws {
    let (suspecting, other) = (
      try Cluster(phases: [puppet], workersPerPhase: 0), try Cluster(phases: [puppet], workersPerPhase: 0)
    )
    defer {
      suspecting.stop()
      other.stop()
    }
    try enqueue(1, lasting: 30, suspecting)
    // It has a job that was lost with a worker before.
    var lost: RawWorker? = try RawWorker("lost", at: suspecting.server)
    _ = try lost?.jobs()
    lost = nil
    try enqueue(400, lasting: 5, other)
    let worker = try worker(
      of: [suspecting.server.eventsAddress, other.server.eventsAddress], slots: 2)
    defer { stop(worker) }
    #expect(try suspecting.finished.wait(for: 1).first?.state == .succeeded)
    #expect(other.finished.count < 400)
    _ = try other.finished.wait(for: 400)
  }

  @Test func `A suspect whose pipeline goes away holds no other pipeline's jobs up`() throws {
    let (leaving, staying) = (
      try Cluster(phases: [puppet], workersPerPhase: 0), try Cluster(phases: [puppet], workersPerPhase: 0)
    )
    defer { staying.stop() }
    try enqueue(1, lasting: 30, leaving)
    var lost: RawWorker? = try RawWorker("lost", at: leaving.server)
    _ = try lost?.jobs()
    lost = nil
    // While this one runs, the suspect waits in the worker to be alone there.
    try enqueue(1, lasting: 3_000, staying)
    let worker = try worker(of: [leaving.server.eventsAddress, staying.server.eventsAddress], slots: 2)
    defer { stop(worker) }
    for cluster in [staying, leaving] { try awaitJobAtWorker(of: cluster) }
    leaving.stop()
    try enqueue(10, lasting: 1, staying)
    #expect(try staying.finished.wait(for: 11).allSatisfy { $0.state == .succeeded })
  }

  private func awaitJobAtWorker(of cluster: Cluster) throws {
    let client = try RawClient(cluster.server)
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
      let status = try client.request("status").json
      if !status.contains(#""id":"lost""#), status.contains(#""in_flight":1,"#) { return }
    }
    throw Unexpected("no job at a worker")
  }
}
