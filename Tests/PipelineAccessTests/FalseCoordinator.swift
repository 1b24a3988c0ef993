import Dispatch
import PipelineModel
import Synchronization
import WireProtocol
import ZeroMQTransport

/// Answers requests as a test tells it to, in a thread of its own, until it is closed.
final class FalseCoordinator: Sendable {
  typealias Answers = @Sendable (_ verb: String) -> (code: ReplyCode, document: String, payloads: [String])?

  let address: String
  private let heard = Mutex<[String]>([])
  private let isClosed = Mutex(false)
  private let wake = WakeUp()
  private let thread = Mutex<LoopThread?>(nil)

  /// - Parameter answers: nil: none is sent.
  init(at address: String = "tcp://127.0.0.1:*", _ answers: @escaping Answers) throws {
    let socket = try Socket(.router, in: SocketContext())
    self.address = try socket.bind(address)
    let handed = Handed(socket: socket)
    thread.withLock { $0 = LoopThread(name: "false-coordinator") { [self] in serve(handed.socket, answers) } }
  }

  /// The verbs that came in, oldest first.
  var verbs: [String] { heard.withLock { $0 } }

  func close() {
    isClosed.withLock { $0 = true }
    wake.signal()
    let ending = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    ending?.join()
  }

  private func serve(_ socket: Socket, _ answers: Answers) {
    let poller = Poller()
    poller.add(socket, as: 0)
    poller.add(fileDescriptor: wake.fileDescriptor, as: 1)
    while !isClosed.withLock({ $0 }) {
      while let frames = socket.receive() {
        guard frames.count > 1, let request = try? Request(decoding: frames[1]) else { continue }
        heard.withLock { $0.append(request.verb) }
        guard let answer = answers(request.verb) else { continue }
        let header = Reply(request: request.request, code: answer.code, message: "as told").encoded()
        _ = socket.send([frames[0], header, Array(answer.document.utf8)] + answer.payloads.map { Array($0.utf8) })
      }
      poller.wait(timeoutMilliseconds: -1)
    }
  }
}

/// Handed to one thread and used there alone.
private struct Handed: @unchecked Sendable {
  let socket: Socket
}
