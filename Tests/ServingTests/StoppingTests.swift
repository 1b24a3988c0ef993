import Coordination
import JobStorageSQLite
import PipelineModel
import PluginTestKit
import Synchronization
import Testing
import WireProtocol
import ZeroMQTransport

@Suite("Stopping, and what is forgotten", .timeLimit(.minutes(15)))
struct StoppingTests {
  @Test func `Whoever stops a coordinator while others wait for its end returns when it has ended`() throws {
    let folder = try TemporaryFolder()
    let phase = PhaseDefinition(jobType: "puppet")
    for _ in 0..<5 {
      let cluster = try Cluster(
        phases: [phase], workersPerPhase: 0,
        storage: SQLiteJobStore(uri: "sqlite:\(folder.path)/jobs.db"))
      let client = try RawClient(cluster.server)
      #expect(try client.enqueue(Array(repeating: "{}", count: 200)).allSatisfy { $0.code == .ok })
      let waiting = Waiters(3) { try? cluster.server.waitUntilStopped() }
      cluster.server.stop()
      // The store is let go of.
      let next = try SQLiteJobStore(uri: "sqlite:\(folder.path)/jobs.db")
      let pipeline = try PipelineDefinition(name: "test", phases: [phase])
      #expect(throws: Never.self) { try next.open(pipeline, owner: "next", now: .now()) }
      next.close()
      waiting.join()
      #expect(waiting.ended == 3)
    }
  }

  @Test func `Whoever waits for the end of a worker hears of it, however many wait`() throws {
    let cluster = try Cluster(phases: [PhaseDefinition(jobType: "puppet")], workersPerPhase: 0)
    defer { cluster.stop() }
    let worker = try cluster.addWorker("puppet")
    let waiting = Waiters(4) { worker.waitUntilStopped() }
    worker.stop()
    worker.waitUntilStopped()
    waiting.join()
    #expect(waiting.ended == 4)
    // Its goodbye is on the way: soon the coordinator does not know it any more.
    let client = try RawClient(cluster.server)
    let deadline = ContinuousClock.now + patience
    var isKnown = true
    while isKnown, ContinuousClock.now < deadline {
      isKnown = try !client.request("status").json.contains(#""workers":[]"#)
    }
    #expect(!isKnown)
  }

  @Test func `The progress of a job that is cancelled is forgotten`() throws {
    let cluster = try Cluster(phases: [PhaseDefinition(jobType: "puppet")], workersPerPhase: 0)
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    #expect(try client.enqueue([Array("{}".utf8)], id: JobID("shown")).map(\.code) == [.ok])
    let worker = try RawWorker("w", at: cluster.server)
    let order = try #require(try worker.jobs().orders.first)
    let halfway = ProgressReport(worker: worker.id, job: order.job, token: order.token, fraction: 0.5, note: "halfway")
    worker.send(halfway.encoded())
    let deadline = ContinuousClock.now + patience
    var job = ""
    while ContinuousClock.now < deadline, !job.contains("halfway") {
      job = try client.request("job", #"{"id":"shown"}"#).json
    }
    #expect(job.contains("halfway"))
    #expect(try client.request("cancel", #"{"id":"shown"}"#).reply.code == .ok)
    // What is said of it later is said of nothing.
    worker.send(halfway.encoded())
    _ = try worker.next(.cancel) { _ in }
    #expect(try client.request("requeue", #"{"id":"shown"}"#).reply.code == .ok)
    let again = try worker.jobs()
    #expect(again.orders.map(\.job) == [order.job] && again.orders.first?.token != order.token)
    #expect(!(try client.request("job", #"{"id":"shown"}"#).json.contains("halfway")))
  }
}

/// Threads that all do the same thing.
private final class Waiters: Sendable {
  private let count = Atomic<Int>(0)
  private let threads = Mutex<[LoopThread]>([])

  init(_ number: Int, _ wait: @escaping @Sendable () -> Void) {
    for index in 0..<number {
      let thread = LoopThread(name: "waiter-\(index)") { [self] in
        wait()
        count.add(1, ordering: .sequentiallyConsistent)
      }
      threads.withLock { $0.append(thread) }
    }
  }

  var ended: Int { count.load(ordering: .sequentiallyConsistent) }

  func join() {
    for thread in threads.withLock({ $0 }) { thread.join() }
  }
}
