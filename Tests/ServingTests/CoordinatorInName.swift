import PipelineModel
import PluginTestKit
import WireProtocol
import ZeroMQTransport

/// A coordinator of which only the messages are there: one worker, told what a test wants it to be told.
final class CoordinatorInName {
  let eventsAddress: String
  /// Answers reports and questions; a test may keep it silent.
  var answersBegan = true
  private(set) var hellos: [Hello] = []
  private(set) var reports: [AttemptReport] = []
  /// Tokens of each question whether jobs may begin.
  private(set) var questions: [[UInt64]] = []

  private let context: SocketContext
  private let events: Socket
  private let intake: Socket
  private let intakeAddress: String
  private let poller = Poller()
  private var route: [UInt8]?
  private var given: UInt64 = 0

  init() throws {
    context = try SocketContext()
    events = try Socket(.subscribe, in: context)
    intake = try Socket(.router, in: context)
    eventsAddress = try events.bind("tcp://127.0.0.1:*")
    intakeAddress = try intake.bind("tcp://127.0.0.1:*")
    events.subscribe(to: MeetingTopic.topic(for: intakeAddress))
    poller.add(events, as: 0)
    poller.add(intake, as: 1)
  }

  /// Reads and answers until what is waited for is so.
  func until(_ what: String, _ isSo: (CoordinatorInName) -> Bool) throws {
    let deadline = ContinuousClock.now + patience
    while !isSo(self) {
      guard ContinuousClock.now < deadline else {
        throw Unexpected("not \(what): \(String(describing: hellos.last)) \(reports) \(questions)")
      }
      poller.wait(timeoutMilliseconds: 100)
      // Its subscription goes out only while it is asked for messages.
      while events.receive() != nil {}
      while let frames = intake.receive() { try answer(frames) }
    }
  }

  func untilServing() throws { try until("serving") { $0.hellos.last?.state == .serving } }

  func untilReported(_ tokens: some Collection<UInt64>) throws {
    try until("reported \(tokens)") { me in tokens.allSatisfy { me.outcome(of: $0) != nil } }
  }

  func outcome(of token: UInt64) -> AttemptOutcome? { reports.first { $0.token.number == token }?.outcome }

  /// - Returns: the tokens of the jobs.
  @discardableResult
  func give(_ instructions: [String], isSuspect: Bool = false, timeoutMilliseconds: Int64 = 0) throws -> [UInt64] {
    let tokens = instructions.indices.map { given + UInt64($0) + 1 }
    given += UInt64(instructions.count)
    let jobs = try tokens.map { token in
      guard let job = JobID("job-\(token)") else { throw Unexpected("no id") }
      return JobOrder(
        job: job, token: LeaseToken(token), attempt: 1, timeoutMilliseconds: timeoutMilliseconds, isSuspect: isSuspect)
    }
    let (worker, route) = try link()
    let header = JobOrders(worker: worker, pipeline: "test", jobs: jobs, credit: .max).encoded()
    guard intake.send([route, header] + instructions.map { Array($0.utf8) }) else { throw Unexpected("not sent") }
    return tokens
  }

  func order(_ kind: MessageKind, _ tokens: [UInt64]) throws {
    let (worker, route) = try link()
    let order = LeaseOrder(worker: worker, tokens: tokens.map { LeaseToken($0) })
    guard intake.send([route, order.encoded(as: kind)]) else { throw Unexpected("not sent") }
  }

  private func link() throws -> (WorkerID, [UInt8]) {
    guard let worker = hellos.last?.worker, let route else { throw Unexpected("no worker has come") }
    return (worker, route)
  }

  private func hear(_ hello: Hello, from sender: [UInt8]) throws {
    hellos.append(hello)
    guard route != sender else { return }
    route = sender
    let welcome = Welcome(
      worker: hello.worker, coordinator: "in-name", pipeline: "test", maximumInstructionsBytes: 1 << 20)
    guard intake.send([sender, welcome.encoded()]) else { throw Unexpected("not sent") }
  }

  private func answer(_ frames: [[UInt8]]) throws {
    switch try Prologue.kind(of: frames[1]) {
    case .hello: try hear(try Hello(decoding: frames[1]), from: frames[0])
    case .credit, .progress, .log, .goodbye: break
    case .results:
      let new = try AttemptReports(decoding: frames[1]).reports
      reports += new
      _ = intake.send([frames[0], ReportAcknowledgement(tokens: new.map(\.token)).encoded()])
    case .began:
      let tokens = try BeganReport(decoding: frames[1]).tokens
      questions.append(tokens.map(\.number))
      if answersBegan { _ = intake.send([frames[0], BeginAnswer(tokens: tokens).encoded()]) }
    case let other: throw Unexpected("a \(other)")
    }
  }
}
