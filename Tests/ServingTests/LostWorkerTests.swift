import JobStorageSQLite
import PipelineModel
import PluginTestKit
import Synchronization
import Testing
import WireProtocol

@Suite("Workers that go away, or never come near", .timeLimit(.minutes(5)))
struct LostWorkerTests {
  private func cluster(losses: Int = 2, clocks: Clocks = .system) throws -> Cluster {
    let puppet = PhaseDefinition(jobType: "puppet", retry: RetryPolicy(attempts: 1, losses: losses))
    return try Cluster(phases: [puppet], workersPerPhase: 0) { $0.clocks = clocks }
  }

  private func enqueue(_ cluster: Cluster, _ id: String) throws -> RawClient {
    let client = try RawClient(cluster.server)
    let job = try #require(JobID(id))
    let replies = try client.enqueue([Array("{}".utf8)], id: job)
    #expect(replies.map(\.code) == [.ok])
    return client
  }

  @Test func `A job that ends every worker it runs at is dead after as many as its phase allows`() throws {
    let cluster = try cluster()
    defer { cluster.stop() }
    let client = try enqueue(cluster, "killer")
    // Without proof first: others may have run there as well.
    var suspicions: [Bool] = []
    for number in 0...2 {
      let worker = try RawWorker("w\(number)", at: cluster.server)
      let (orders, _) = try worker.jobs()
      suspicions += orders.map(\.isSuspect)
      if number > 0 { try worker.begin(orders) }
    }
    #expect(suspicions == [false, true, true])
    let dead = try #require(try cluster.finished.wait(for: 1).first)
    #expect(dead.state == .dead && dead.error?.type == "Lost")
    #expect(dead.error?.message == "its worker went away 2 times while it ran this job alone")
    let record = try client.request("job", #"{"id":"killer"}"#).json
    #expect(record.components(separatedBy: #""outcome":"lost""#) == 4, "\(record)")
  }

  @Test func `A suspect that had not begun is not counted, however often its worker goes`() throws {
    let cluster = try cluster(losses: 1)
    defer { cluster.stop() }
    _ = try enqueue(cluster, "unlucky")
    for number in 0...3 {
      let worker = try RawWorker("w\(number)", at: cluster.server)
      let (orders, _) = try worker.jobs()
      #expect(orders.map(\.isSuspect) == [number > 0])
    }
    let last = try RawWorker("last", at: cluster.server)
    let (orders, _) = try last.jobs()
    try last.begin(orders)
    last.report(orders[0], .succeeded)
    #expect(try cluster.finished.wait(for: 1).first?.state == .succeeded)
  }

  @Test func `A worker whose address does not answer gets no jobs, and status says why`() throws {
    let cluster = try cluster()
    defer { cluster.stop() }
    let far = try RawWorker("far", at: cluster.server)
    far.announce(concurrency: 8, address: "tcp://127.0.0.1:1")
    let client = try enqueue(cluster, "only")
    let near = try RawWorker("near", at: cluster.server)
    let (orders, _) = try near.jobs()
    near.report(orders[0], .succeeded)
    #expect(try cluster.finished.wait(for: 1).first?.state == .succeeded)
    let deadline = ContinuousClock.now + patience
    var status = ""
    while ContinuousClock.now < deadline, !status.contains(#""state":"unreachable""#) {
      far.announce(concurrency: 8, address: "tcp://127.0.0.1:1")
      near.announce()
      status = try client.request("status").json
    }
    #expect(status.contains("the coordinator cannot connect to tcp://127.0.0.1:1 (--pull-bind and --advertise"))
    #expect(status.contains(#""slots":1,"#), "\(status)")
  }

  @Test func `What a phase cannot do, and why, is said in the status`() throws {
    let cluster = try cluster()
    defer { cluster.stop() }
    let client = try enqueue(cluster, "waits")
    #expect(try client.request("status").json.contains(#""note":"nobody serves it: 1 job waits""#))
    let worker = try RawWorker("w", at: cluster.server)
    let deadline = ContinuousClock.now + patience
    var status = ""
    while ContinuousClock.now < deadline, !status.contains("impaired: no database") {
      worker.announce(state: .impaired, reason: "no database")
      status = try client.request("status").json
    }
    #expect(status.contains(#""note":"impaired: no database: 1 job waits""#), "\(status)")
    #expect(status.contains(#""slots":0,"#))
  }

  @Test(arguments: [3_600_000, -3_600_000] as [Int64])
  func `A clock that is set holds nothing up and hastens nothing`(step: Int64) throws {
    let offset = Offset()
    let clocks = Clocks(
      instant: Instant.now, timestamp: { Timestamp.now() + offset.milliseconds.load(ordering: .relaxed) })
    let cluster = try cluster(clocks: clocks)
    defer { cluster.stop() }
    let client = try enqueue(cluster, "held")
    let first = try RawWorker("first", at: cluster.server)
    _ = try first.jobs()
    let late = EnqueueRequest.Job(id: JobID("late"), delayMilliseconds: 700)
    try client.send([EnqueueRequest(request: 1, pipeline: "test", jobs: [late]).encoded(), Array("{}".utf8)])
    #expect(try EnqueueReply(decoding: try #require(try client.receive().first)).jobs.map(\.code) == [.ok])
    let enqueued = ContinuousClock.now
    offset.milliseconds.store(step, ordering: .relaxed)
    withExtendedLifetime(first) {}
    let second = try RawWorker("second", at: cluster.server)
    // The first is silent from now on: its job comes here although the clock stands elsewhere, and the late one in time.
    var seen: Set<String> = []
    for _ in 0..<2 {
      let order = try #require(try second.jobs().orders.first)
      if order.job.text == "late" { #expect(ContinuousClock.now - enqueued > .milliseconds(650)) }
      if order.isSuspect { try second.begin([order]) }
      second.report(order, .succeeded)
      seen.insert(order.job.text)
    }
    #expect(seen == ["held", "late"])
    #expect(try cluster.finished.wait(for: 2).allSatisfy { $0.state == .succeeded })
    let status = try client.request("status").json
    let uptime = try #require(status.firstMatch(of: /"uptime_ms":(-?\d+)/).flatMap { Int($0.1) })
    #expect((0..<600_000).contains(uptime), "\(status)")
  }

  @Test func `A delayed job is due when it was to be, although its coordinator began with a wrong clock`() throws {
    let folder = try TemporaryFolder()
    let offset = Offset()
    offset.milliseconds.store(-3_600_000, ordering: .relaxed)
    let clocks = Clocks(
      instant: Instant.now, timestamp: { Timestamp.now() + offset.milliseconds.load(ordering: .relaxed) })
    let puppet = PhaseDefinition(jobType: "puppet")
    func cluster() throws -> Cluster {
      try Cluster(
        phases: [puppet], workersPerPhase: 0, storage: SQLiteJobStore(uri: "sqlite:\(folder.path)/jobs.db")
      ) { $0.clocks = clocks }
    }
    let first = try cluster()
    let client = try RawClient(first.server)
    let later = EnqueueRequest.Job(id: JobID("later"), delayMilliseconds: 600_000)
    try client.send([EnqueueRequest(request: 1, pipeline: "test", jobs: [later]).encoded(), Array("{}".utf8)])
    #expect(try EnqueueReply(decoding: try #require(try client.receive().first)).jobs.map(\.code) == [.ok])
    // The clock is put right, and the next coordinator knows no other.
    offset.milliseconds.store(0, ordering: .relaxed)
    first.stop()
    let second = try cluster()
    defer { second.stop() }
    let job = try RawClient(second.server).request("job", #"{"id":"later"}"#).json
    let due = job.firstMatch(of: /"due_at_ms":(\d+)/).flatMap { Int64($0.1) } ?? 0
    let rest = Timestamp(milliseconds: due) - .now()
    #expect(job.contains(#""state":"delayed""#) && (1...600_000).contains(rest), "\(rest): \(job)")
  }

  private final class Offset: Sendable {
    let milliseconds = Atomic<Int64>(0)
  }

  @Test func `A worker that sends back what is no object fails its attempt`() throws {
    let cluster = try cluster()
    defer { cluster.stop() }
    _ = try enqueue(cluster, "garbled")
    let worker = try RawWorker("w", at: cluster.server)
    let (orders, _) = try worker.jobs()
    worker.report(orders[0], .succeeded, instructions: Array("NOT JSON".utf8))
    let dead = try #require(try cluster.finished.wait(for: 1).first)
    #expect(dead.state == .dead && dead.error?.type == "BadResult")
    #expect(String(decoding: dead.instructions, as: UTF8.self) == "{}")
  }

  @Test func `Numbers of a worker that make no sense are bounded`() throws {
    let cluster = try cluster()
    defer { cluster.stop() }
    let client = try enqueue(cluster, "never")
    let worker = try RawWorker("w", at: cluster.server)
    let (orders, _) = try worker.jobs()
    worker.report(orders[0], .retryRequested, retryAfter: .max, startedAt: .min, duration: .max)
    let deadline = ContinuousClock.now + patience
    var job = ""
    while ContinuousClock.now < deadline, !job.contains(#""state":"delayed""#) {
      job = try client.request("job", #"{"id":"never"}"#).json
    }
    let due = try #require(job.firstMatch(of: /"due_at_ms":(\d+)/).flatMap { Int64($0.1) }, "\(job)")
    #expect(due < Timestamp.now().milliseconds + 2 * longestDurationMilliseconds)
    #expect(try client.request("metrics").json.contains(#""failed":0,"#))
  }
}
