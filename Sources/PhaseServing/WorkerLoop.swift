internal import Logging
internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// The event loop of a process that serves phases: finds the coordinators, has one connection to each, and gives all its
/// services their turns. One thread; nothing blocks but the poll.
final class WorkerLoop {
  let logger: Logger
  let clocks: Clocks
  let context: SocketContext
  let meetingPoints: [MeetingPoint]
  /// Those that are connected to whatever is found.
  let givenAddresses: [String]
  let mailbox: LoopMailbox
  let poller = Poller()

  /// In the order in which the coordinators were found.
  var connections: [CoordinatorConnection] = []
  var connectionsMade = 0
  /// By the numbers that the poller knows them by.
  var services: [Int: PhaseService] = [:]
  /// Who is meant by a message.
  var numbers: [WorkerID: Int] = [:]
  private var servicesTaken = 0
  private var isClosed = false
  private var lookAt = Instant(milliseconds: .min)
  private var complaints = 0

  private static let lookEvery: Int64 = 1_000

  /// - Parameter settings: what all its services have in common.
  init(_ settings: PhaseServerSettings, _ mailbox: LoopMailbox) throws(PhaseServerError) {
    let addresses = settings.meetingAddresses + settings.coordinatorAddresses
    if let problem = addresses.lazy.compactMap({ addressProblem($0, binding: false) }).first {
      throw PhaseServerError(kind: .address, message: problem)
    }
    do throws(TransportError) {
      context = try SocketContext()
      var points: [MeetingPoint] = []
      for address in settings.meetingAddresses { points.append(try MeetingPoint(address, in: context)) }
      meetingPoints = points
    } catch {
      throw PhaseServerError(kind: .address, message: error.message)
    }
    givenAddresses = settings.coordinatorAddresses
    logger = settings.logger
    clocks = settings.clocks
    self.mailbox = mailbox
  }

  /// Returns once the mailbox is closed and the last service has ended.
  func run() {
    poller.add(fileDescriptor: mailbox.wake.fileDescriptor, as: PollKey.wake.code)
    for (index, point) in meetingPoints.enumerated() { poller.add(point.socket, as: PollKey.meeting(index).code) }
    let start = clocks.instant()
    takeServices()
    for address in givenAddresses { connect(to: address, now: start) }
    while !(isClosed && services.isEmpty) {
      step(now: clocks.instant())
      poller.wait(timeoutMilliseconds: Int(timeout(now: clocks.instant())))
    }
  }

  private func takeServices() {
    let (arrived, isClosed) = mailbox.take()
    self.isClosed = isClosed
    for service in arrived {
      servicesTaken += 1
      services[servicesTaken] = service
      numbers[service.id] = servicesTaken
      service.begin(as: servicesTaken, connections)
    }
  }

  private func step(now: Instant) {
    var (meets, talking) = (false, [Int]())
    for key in poller.ready {
      switch PollKey(code: key) {
      case .wake:
        mailbox.wake.clear()
        takeServices()
        for service in services.values { service.hasNews = true }
      case .meeting: meets = true
      case .connection(let number): talking.append(number)
      case .child(let service, let slot): services[service]?.readySlots.append(slot)
      }
    }
    if meets { lookForCoordinators(now: now) }
    if !talking.isEmpty { readConnections(talking, now: now) }
    for service in services.values { service.step(in: poller, now: now) }
    if now >= lookAt {
      lookAt = now + Self.lookEvery
      watchConnections(now: now)
      remarkOnSilence(now: now)
    }
    letGo(now: now)
  }

  /// Of services that have done all they had to.
  private func letGo(now: Instant) {
    for (number, service) in services {
      if service.isDone(now: now) { service.end() }
      guard service.stage == .ended, service.isGone() else { continue }
      services[number] = nil
      numbers[service.id] = nil
      service.control.noteEnd()
    }
  }

  /// A child that ends, and a copy that was made, wake the loop.
  private func timeout(now: Instant) -> Int64 {
    let dueAt = services.values.reduce(lookAt) { min($0, $1.dueAt) }
    return min(max(0, dueAt - now), Self.lookEvery)
  }

  /// One line for the first few messages that make no sense; a count would not help whoever reads this log.
  func complain(_ error: WireError) {
    complaints += 1
    if complaints <= 10 { logger.warning("ignored a message: \(error.message)") }
  }
}
