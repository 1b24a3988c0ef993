import Coordination
import PipelineModel
import PluginTestKit
import WireProtocol
import ZeroMQTransport

/// A worker as small as the wire protocol allows: says what it is told to say and runs nothing.
final class RawWorker {
  let id: WorkerID
  let instance: UInt64
  private let context: SocketContext
  private let socket: Socket
  private let poller = Poller()
  private let jobType: String
  private var credits: UInt64 = 0
  /// What came beside what was waited for.
  private var mail: [[[UInt8]]] = []

  /// - Parameter instance: nil: a process of its own.
  init(_ name: String, _ jobType: String = "puppet", at server: PipelineServer, instance: UInt64? = nil) throws {
    guard let id = WorkerID(name) else { throw Unexpected("no name") }
    self.id = id
    self.instance = instance ?? .random(in: 1 ... .max)
    self.jobType = jobType
    context = try SocketContext()
    socket = try Socket(.dealer, in: context, highWaterMark: 0)
    try socket.connect(server.intakeAddress)
    poller.add(socket)
  }

  /// - Parameter credit: nil: one job for each slot.
  func sayHello(
    concurrency: Int = 1, state: WorkerState = .serving, holds: [LeaseToken] = [], reason: String = "",
    isShared: Bool = false, credit: JobCredit? = nil
  ) {
    credits += 1
    let hello = Hello(
      worker: id, instance: instance, jobType: jobType, host: "h", processID: 1, concurrency: concurrency, state: state,
      succeeded: 0, failed: 0, plugin: "", pluginFile: "", inFlight: holds, reason: reason, isShared: isShared,
      credit: credit ?? JobCredit(number: credits, jobs: concurrency))
    send(hello.encoded())
  }

  func send(_ frame: [UInt8]) { _ = socket.send([frame]) }

  /// The next message of a kind; says hello while it waits.
  func next(_ kind: MessageKind, hello: (RawWorker) -> Void) throws -> [[UInt8]] {
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
      if let index = mail.firstIndex(where: { (try? Prologue.kind(of: $0[0])) == kind }) {
        return mail.remove(at: index)
      }
      hello(self)
      poller.wait(timeoutMilliseconds: 200)
      collect()
    }
    throw Unexpected("no \(kind) for \(id)")
  }

  private func collect() {
    while let frames = socket.receive() { mail.append(frames) }
  }

  /// The next orders for jobs, with their payloads; says hello while it waits.
  func jobs(
    concurrency: Int = 1, holds: [LeaseToken] = []
  ) throws -> (orders: [JobOrder], payloads: [[UInt8]]) {
    let frames = try next(.jobs) { $0.sayHello(concurrency: concurrency, holds: holds) }
    return (try JobOrders(decoding: frames[0]).jobs, Array(frames.dropFirst()))
  }

  /// Orders for jobs that are here already.
  func takeOrders() -> [JobOrder] {
    collect()
    let found = mail.flatMap { (try? JobOrders(decoding: $0[0]))?.jobs ?? [] }
    mail = []
    return found
  }

  func report(
    _ order: JobOrder, _ outcome: AttemptOutcome, instructions: [UInt8]? = nil, retryAfter: Int64 = 0,
    startedAt: Int64 = 1, duration: Int64 = 1
  ) {
    let report = AttemptReport(
      job: order.job, token: order.token, outcome: outcome, startedAt: Timestamp(milliseconds: startedAt),
      durationMicroseconds: duration, hasInstructions: instructions != nil, retryAfterMilliseconds: retryAfter,
      plugin: "", error: outcome == .succeeded ? nil : JobError(type: "T", message: "m"))
    let message = AttemptReports(worker: id, pipeline: "test", reports: [report]).encoded()
    _ = socket.send([message] + (instructions.map { [$0] } ?? []))
  }

  /// Says that suspects begin, and waits until it may.
  func begin(_ orders: [JobOrder]) throws {
    send(BeganReport(worker: id, tokens: orders.map(\.token)).encoded())
    let frames = try next(.begin) { _ in }
    guard try BeginAnswer(decoding: frames[0]).tokens == orders.map(\.token) else {
      throw Unexpected("no answer to what begins")
    }
  }
}
