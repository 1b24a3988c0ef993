import Glibc
import PipelineModel
import PluginTestKit
import Testing
import WireProtocol
import ZeroMQTransport

/// A worker of which only the messages are there.
private final class WorkerInName {
  private let context: SocketContext
  private let orders: Socket
  private let events: Socket
  private let announcement: Announcement

  init(_ jobType: String, concurrency: Int, eventsAddress: String) throws {
    context = try SocketContext()
    orders = try Socket(.pull, in: context, highWaterMark: 0)
    events = try Socket(.publish, in: context)
    announcement = Announcement(
      worker: try #require(WorkerID("in-name")), pullAddress: try orders.bind("tcp://127.0.0.1:*"), jobType: jobType,
      host: "localhost", processID: Int(getpid()), concurrency: concurrency, state: .serving, succeeded: 0, failed: 0,
      plugin: "0123456789ab", pluginFile: "libInName.so", inFlight: [])
    try events.connect(eventsAddress)
  }

  /// The next message of orders; announces itself until it comes, since whoever has not subscribed yet misses that.
  func nextOrders() throws -> JobOrders {
    let poller = Poller()
    poller.add(orders)
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
      _ = events.send([announcement.encoded()])
      poller.wait(timeoutMilliseconds: 100)
      while let frames = orders.receive() {
        if try Prologue.kind(of: frames[0]) == .jobs { return try JobOrders(decoding: frames[0]) }
      }
    }
    throw Unexpected("no jobs came")
  }
}

@Suite("A worker with more slots than a message takes jobs", .timeLimit(.minutes(5)))
struct ManySlotsTests {
  @Test func `Gets all it has room for, in messages it can read`() throws {
    let slots = JobOrders.maximumJobs + 200
    let cluster = try Cluster(phases: [PhaseDefinition(jobType: "puppet")], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    for _ in 0..<2 {
      let replies = try client.enqueue(Array(repeating: "{}", count: slots / 2))
      #expect(replies.allSatisfy { $0.code == .ok })
    }
    let worker = try WorkerInName("puppet", concurrency: slots, eventsAddress: cluster.server.eventsAddress)
    var jobs: Set<JobID> = []
    while jobs.count < slots { jobs.formUnion(try worker.nextOrders().jobs.map(\.job)) }
    #expect(jobs.count == slots)
  }
}
