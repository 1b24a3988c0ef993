internal import PipelineModel
internal import Synchronization
internal import WireProtocol
internal import ZeroMQTransport

/// The thread that owns a client's socket: sends what is handed over while there is a connection, and gives each answer
/// to whoever waits for it.
final class ClientLoop: Sendable {
  private struct State {
    var open = OpenRequests()
    var isClosed = false
  }

  private let address: String
  private let state = Mutex(State())
  private let wake = WakeUp()
  private let thread = Mutex<LoopThread?>(nil)

  init(address: String) throws(PipelineClientError) {
    self.address = address
    let sockets: SentSockets
    do throws(TransportError) {
      let context = try SocketContext()
      let dealer = try Socket(.dealer, in: context, highWaterMark: 1_000, lingerMilliseconds: 100)
      dealer.setAcknowledgementLimit(milliseconds: 5_000)
      dealer.queueOnlyWhileConnected()
      let monitor = try ConnectionMonitor(of: dealer, name: "client")
      try dealer.connect(address)
      sockets = SentSockets(dealer: dealer, monitor: monitor)
    } catch {
      throw PipelineClientError(.address, error.message)
    }
    thread.withLock { $0 = LoopThread(name: "carbontube-client") { [self] in run(sockets) } }
  }

  /// - Parameters:
  ///   - timeoutMilliseconds: how long the request stands; what could not be sent until then never is.
  ///   - changesSomething: what is asked changes something, so that it matters whether it was done.
  ///   - frames: makes the message for its number.
  func send(
    timeoutMilliseconds: Int, changesSomething: Bool, _ frames: (UInt64) -> [[UInt8]]
  ) -> PendingReply {
    let reply = PendingReply()
    let number = state.withLock { $0.open.nextNumber() }
    let message = frames(number)
    let deadline = Instant.now() + Int64(timeoutMilliseconds)
    let problem: PipelineClientError? = state.withLock { state in
      if state.isClosed { return closed }
      let hasRoom = state.open.add(
        number, message, deadline: deadline, changesSomething: changesSomething, reply: reply)
      return hasRoom ? nil : full
    }
    if let problem { reply.complete(.failure(problem)) } else { wake.signal() }
    return reply
  }

  /// Returns when the thread has ended.
  func close() {
    state.withLock { $0.isClosed = true }
    wake.signal()
    let ending = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    ending?.join()
  }

  private var closed: PipelineClientError { PipelineClientError(.closed, "the client of \(address) was closed") }
  private var full: PipelineClientError {
    PipelineClientError(.busy, "too many requests wait for an answer of \(address) already; try again later")
  }

  // MARK: - On the loop's thread

  /// A connection that has just come up may take a moment to accept messages.
  private static let sendAgainMilliseconds = 5

  private func run(_ sockets: SentSockets) {
    let (socket, monitor) = (sockets.dealer, sockets.monitor)
    let poller = Poller()
    poller.add(socket, as: 0)
    poller.add(fileDescriptor: wake.fileDescriptor, as: 1)
    poller.add(monitor.socket, as: 2)
    var isConnected = false
    while true {
      wake.clear()
      if poller.ready.contains(2), let last = monitor.events().last { isConnected = last == .connected }
      let isClosed = state.withLock { $0.isClosed }
      let isHeldUp = isConnected && !sendAll(to: socket)
      receive(from: socket)
      expire(now: .now())
      guard !isClosed else { break }
      poller.wait(timeoutMilliseconds: nextTimeout(isHeldUp: isHeldUp, now: .now()))
    }
    for reply in state.withLock({ $0.open.takeAll() }) { reply.complete(.failure(closed)) }
  }

  /// - Returns: false where some could not be sent.
  private func sendAll(to socket: Socket) -> Bool {
    while let (number, frames) = state.withLock({ $0.open.firstUnsent() }) {
      guard socket.send(frames) else { return false }
      state.withLock { $0.open.markSent(number) }
    }
    return true
  }

  /// Answers that nobody waits for any more, and what is no answer, are passed over.
  private func receive(from socket: Socket) {
    while let frames = socket.receive() {
      guard let head = frames.first, let number = Self.requestNumber(in: head) else { continue }
      state.withLock { $0.open.takeAnswered(number) }?.complete(.success(frames))
    }
  }

  private static func requestNumber(in head: [UInt8]) -> UInt64? {
    switch try? Prologue.kind(of: head) {
    case .enqueueReply: try? EnqueueReply(decoding: head).request
    case .reply: try? Reply(decoding: head).request
    default: nil
    }
  }

  private func expire(now: Instant) {
    for expired in state.withLock({ $0.open.takeExpired(now: now) }) {
      expired.reply.complete(.failure(failure(of: expired)))
    }
  }

  private func failure(of expired: OpenRequests.Expired) -> PipelineClientError {
    guard expired.wasSent else {
      return PipelineClientError(
        .unreachable,
        "no coordinator answers at \(address); start one with 'carbontube pipeline', or check the address")
    }
    guard expired.changesSomething else {
      return PipelineClientError(.timedOut, "the coordinator at \(address) did not answer in time")
    }
    return PipelineClientError(
      .timedOut,
      "\(address) did not answer in time; what was asked may be done or not, and jobs with ids of your own can be "
        + "sent again")
  }

  private func nextTimeout(isHeldUp: Bool, now: Instant) -> Int {
    let earliest = state.withLock { $0.open.earliestDeadline }
    let rest = earliest == .distantFuture ? -1 : Int(clamping: max(0, earliest - now))
    guard isHeldUp else { return rest }
    return rest < 0 ? Self.sendAgainMilliseconds : min(rest, Self.sendAgainMilliseconds)
  }
}

/// Handed to the loop's thread once, before it runs; never touched by two threads.
private struct SentSockets: @unchecked Sendable {
  let dealer: Socket
  let monitor: ConnectionMonitor
}
