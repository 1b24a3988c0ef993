internal import Glibc
internal import PipelineModel
internal import Synchronization
internal import WireProtocol
internal import ZeroMQTransport

/// The thread that owns a client's socket: sends what is handed over, and gives each answer to whoever waits for it.
final class ClientLoop: Sendable {
  private struct Outgoing: Sendable {
    var frames: @Sendable (UInt64) -> [[UInt8]]
    var timeoutMilliseconds: Int
    var reply: PendingReply
  }

  private struct Inbox {
    var outgoing: [Outgoing] = []
    var isClosed = false
  }

  private let address: String
  private let inbox = Mutex(Inbox())
  private let wake = WakeUp()
  private let thread = Mutex<LoopThread?>(nil)

  init(address: String) throws(PipelineClientError) {
    self.address = address
    let socket: SentSocket
    do throws(TransportError) {
      let context = try SocketContext()
      let dealer = try Socket(.dealer, in: context, highWaterMark: 0, lingerMilliseconds: 100)
      dealer.setHeartbeat(intervalMilliseconds: 1_000, timeoutMilliseconds: 5_000)
      try dealer.connect(address)
      socket = SentSocket(socket: dealer)
    } catch {
      throw PipelineClientError(.address, error.message)
    }
    thread.withLock { $0 = LoopThread(name: "carbontube-client") { [self] in run(socket.socket) } }
  }

  /// - Parameter frames: makes the message once its number is known.
  func send(timeoutMilliseconds: Int, _ frames: @escaping @Sendable (UInt64) -> [[UInt8]]) -> PendingReply {
    let reply = PendingReply()
    let isClosed = inbox.withLock { inbox in
      if !inbox.isClosed {
        inbox.outgoing.append(Outgoing(frames: frames, timeoutMilliseconds: timeoutMilliseconds, reply: reply))
      }
      return inbox.isClosed
    }
    if isClosed { reply.complete(.failure(closed)) } else { wake.signal() }
    return reply
  }

  /// Returns when the thread has ended.
  func close() {
    inbox.withLock { $0.isClosed = true }
    wake.signal()
    let ending = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    ending?.join()
  }

  private var closed: PipelineClientError { PipelineClientError(.closed, "the client of \(address) was closed") }

  // MARK: On the loop's thread

  private struct Waiting {
    var deadline: Int64
    var reply: PendingReply
  }

  private func run(_ socket: Socket) {
    var waiting: [UInt64: Waiting] = [:]
    var lastRequest: UInt64 = 0
    let poller = Poller()
    poller.add(socket, as: 0)
    poller.add(fileDescriptor: wake.fileDescriptor, as: 1)
    while true {
      wake.clear()
      let (outgoing, isClosed) = inbox.withLock { inbox in
        defer { inbox.outgoing = [] }
        return (inbox.outgoing, inbox.isClosed)
      }
      for message in outgoing {
        lastRequest += 1
        waiting[lastRequest] = Waiting(
          deadline: Self.monotonicMilliseconds() + Int64(message.timeoutMilliseconds), reply: message.reply)
        _ = socket.send(message.frames(lastRequest))
      }
      receive(from: socket, into: &waiting)
      expire(&waiting)
      guard !isClosed else { break }
      poller.wait(timeoutMilliseconds: nextTimeout(waiting))
    }
    for entry in waiting.values { entry.reply.complete(.failure(closed)) }
  }

  /// Answers that nobody waits for any more, and what is no answer, are passed over.
  private func receive(from socket: Socket, into waiting: inout [UInt64: Waiting]) {
    while let frames = socket.receive() {
      guard let head = frames.first, let request = Self.requestNumber(in: head) else { continue }
      waiting.removeValue(forKey: request)?.reply.complete(.success(frames))
    }
  }

  private static func requestNumber(in head: [UInt8]) -> UInt64? {
    switch try? Prologue.kind(of: head) {
    case .enqueueReply: try? EnqueueReply(decoding: head).request
    case .reply: try? Reply(decoding: head).request
    default: nil
    }
  }

  private func expire(_ waiting: inout [UInt64: Waiting]) {
    let now = Self.monotonicMilliseconds()
    for (request, entry) in waiting where entry.deadline <= now {
      waiting[request] = nil
      entry.reply.complete(
        .failure(
          PipelineClientError(
            .timedOut,
            "\(address) did not answer in time; what was asked may be done or not, and jobs with ids of your own can be "
              + "sent again")))
    }
  }

  private func nextTimeout(_ waiting: [UInt64: Waiting]) -> Int {
    guard let first = waiting.values.map(\.deadline).min() else { return -1 }
    return Int(max(0, first - Self.monotonicMilliseconds()))
  }

  private static func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}

/// Handed to the loop's thread once, before it runs; never touched by two threads.
private struct SentSocket: @unchecked Sendable {
  let socket: Socket
}
