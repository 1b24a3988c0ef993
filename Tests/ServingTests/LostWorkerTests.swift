import JobStorageSQLite
import PipelineModel
import PluginTestKit
import Synchronization
import Testing
import WireProtocol

@Suite("Workers that go away, or never come near", .timeLimit(.minutes(15)))
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

  @Test func `Who has the id of a worker that is there is refused, the same process is not`() throws {
    let cluster = try cluster()
    defer { cluster.stop() }
    let first = try RawWorker("w", at: cluster.server)
    _ = try first.next(.welcome) { $0.sayHello() }
    let other = try RawWorker("w", at: cluster.server)
    let refusal = try WorkerRefusal(decoding: try other.next(.refused) { $0.sayHello() }[0])
    #expect(refusal.reason == .idTaken)
    #expect(refusal.message.contains("a worker with the id 'w' is there already, on h (process 1)"))
    let again = try RawWorker("w", at: cluster.server, instance: first.instance)
    _ = try again.next(.welcome) { $0.sayHello(credit: JobCredit(number: 100, jobs: 1)) }
    // It is by this connection that jobs come from now on.
    let client = try enqueue(cluster, "only")
    let orders = try JobOrders(decoding: try again.next(.jobs) { _ in }[0]).jobs
    again.report(orders[0], .succeeded)
    #expect(try cluster.finished.wait(for: 1).first?.state == .succeeded)
    #expect(first.takeOrders().isEmpty)
    withExtendedLifetime((first, client)) {}
  }

  @Test func `Who has the id of a worker whose connection has ended takes its place at once`() throws {
    let cluster = try cluster()
    defer { cluster.stop() }
    _ = try enqueue(cluster, "passed-on")
    var first: RawWorker? = try RawWorker("w", at: cluster.server)
    let given = try #require(try first?.jobs().orders.first)
    first = nil
    let second = try RawWorker("w", at: cluster.server)
    let order = try #require(try second.jobs().orders.first)
    #expect(order.job == given.job && order.token != given.token)
    if order.isSuspect { try second.begin([order]) }
    second.report(order, .succeeded)
    #expect(try cluster.finished.wait(for: 1).first?.state == .succeeded)
  }

  @Test func `A worker gets no more jobs than its credit, and credits only count in order`() throws {
    let cluster = try cluster()
    defer { cluster.stop() }
    let client = try RawClient(cluster.server)
    #expect(try client.enqueue(Array(repeating: "{}", count: 10)).allSatisfy { $0.code == .ok })
    let worker = try RawWorker("w", at: cluster.server)
    let slots = 8
    func hello(_ number: UInt64, _ jobs: Int) {
      worker.sayHello(concurrency: slots, isShared: true, credit: JobCredit(number: number, jobs: jobs))
    }
    func credit(_ number: UInt64, _ jobs: Int) {
      worker.send(CreditMessage(worker: worker.id, credit: JobCredit(number: number, jobs: jobs)).encoded())
    }
    /// What is there once the coordinator keeps to a credit.
    func given(under number: UInt64) throws -> [JobOrder] {
      let deadline = ContinuousClock.now + patience
      while ContinuousClock.now < deadline {
        let demand = try Demand(decoding: try worker.next(.demand) { _ in }[0])
        if demand.credit == number { return worker.takeOrders() }
      }
      throw Unexpected("credit \(number) is not kept to")
    }
    hello(1, 0)
    #expect(try given(under: 1).isEmpty)
    credit(2, 3)
    let three = try worker.next(.jobs) { _ in }
    #expect(try JobOrders(decoding: three[0]).jobs.count == 3)
    // Comes late, and is passed over.
    credit(1, 8)
    credit(3, 1)
    #expect(try given(under: 3).isEmpty)
    // Too many for a number that must be bounded: refused as a whole.
    credit(4, Hello.maximumInFlight + 1)
    credit(5, 4)
    let fourth = try worker.next(.jobs) { _ in }
    #expect(try JobOrders(decoding: fourth[0]).jobs.count == 1)
    #expect(!(try client.request("status").json.contains(#""malformed_messages":0"#)))
  }

  @Test func `A worker of a phase that the pipeline has not is told so`() throws {
    let cluster = try cluster()
    defer { cluster.stop() }
    let worker = try RawWorker("w", "paint", at: cluster.server)
    let refusal = try WorkerRefusal(decoding: try worker.next(.refused) { $0.sayHello() }[0])
    #expect(refusal.reason == .noSuchPhase && refusal.message == "pipeline test has no phase 'paint'")
    #expect(try RawClient(cluster.server).request("status").json.contains(#""workers":[]"#))
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
      worker.sayHello(state: .impaired, reason: "no database")
      status = try client.request("status").json
    }
    #expect(status.contains(#""note":"impaired: no database: 1 job waits""#), "\(status)")
    #expect(status.contains(#""slots":0,"#))
  }

  @Test(arguments: [3_600_000, -3_600_000, 86_400_000, -86_400_000, 31_557_600_000, -31_557_600_000] as [Int64])
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
