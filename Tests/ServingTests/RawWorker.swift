import Coordination
import PipelineModel
import PluginTestKit
import WireProtocol
import ZeroMQTransport

/// A worker as small as the wire protocol allows: says what it is told to say and runs nothing.
final class RawWorker {
  let id: WorkerID
  private let context: SocketContext
  private let events: Socket
  private let orders: Socket
  private let intake: Socket
  private let address: String
  private let jobType: String

  init(_ name: String, _ jobType: String = "puppet", at server: PipelineServer) throws {
    guard let id = WorkerID(name) else { throw Unexpected("no name") }
    self.id = id
    self.jobType = jobType
    context = try SocketContext()
    events = try Socket(.publish, in: context)
    orders = try Socket(.pull, in: context)
    intake = try Socket(.dealer, in: context)
    address = try orders.bind("tcp://127.0.0.1:*")
    try events.connect(server.eventsAddress)
    try intake.connect(server.intakeAddress)
    let poller = Poller()
    poller.add(events)
    poller.wait(timeoutMilliseconds: Int(patience.components.seconds) * 1_000)
    guard events.receive() != nil else { throw Unexpected("nobody subscribes") }
  }

  /// - Parameter address: nil: where it really is.
  func announce(
    concurrency: Int = 1, state: WorkerState = .serving, holds: [LeaseToken] = [], address: String? = nil,
    reason: String = ""
  ) {
    let announcement = Announcement(
      worker: id, pullAddress: address ?? self.address, jobType: jobType, host: "h", processID: 1,
      concurrency: concurrency, state: state, succeeded: 0, failed: 0, plugin: "", pluginFile: "", inFlight: holds,
      reason: reason)
    _ = events.send([announcement.encoded()])
  }

  /// The next orders for jobs, with their payloads; announces itself while it waits.
  func jobs(holds: [LeaseToken] = []) throws -> (orders: [JobOrder], payloads: [[UInt8]]) {
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
      announce(holds: holds)
      guard let frames = next(orders) else { continue }
      guard try Prologue.kind(of: frames[0]) == .jobs else { continue }
      return (try JobOrders(decoding: frames[0]).jobs, Array(frames.dropFirst()))
    }
    throw Unexpected("no jobs for \(id)")
  }

  /// Orders for jobs that are here already.
  func takeOrders() -> [JobOrder] {
    var found: [JobOrder] = []
    while let frames = orders.receive() { found += (try? JobOrders(decoding: frames[0]))?.jobs ?? [] }
    return found
  }

  private func next(_ socket: Socket) -> [[UInt8]]? {
    let poller = Poller()
    poller.add(socket)
    poller.wait(timeoutMilliseconds: 500)
    return socket.receive()
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
    _ = intake.send([message] + (instructions.map { [$0] } ?? []))
  }

  /// Says that suspects begin, and waits until it may.
  func begin(_ orders: [JobOrder]) throws {
    _ = intake.send([BeganReport(worker: id, tokens: orders.map(\.token)).encoded()])
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
      guard let frames = next(intake) else { continue }
      if try Prologue.kind(of: frames[0]) == .begin {
        guard try BeginAnswer(decoding: frames[0]).tokens == orders.map(\.token) else { break }
        return
      }
    }
    throw Unexpected("no answer to what begins")
  }

  func sendEvent(_ frame: [UInt8]) { _ = events.send([frame]) }
}
