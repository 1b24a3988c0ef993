internal import Glibc
internal import PipelineModel
internal import Synchronization
internal import WireProtocol
internal import ZeroMQTransport

/// Finds the numbers behind names of hosts on threads of its own. libzmq would ask in the thread that moves the bytes of
/// all sockets, and a name server that does not answer would stop them for as long. Belongs to the event loop's thread.
final class NameLookup {
  typealias Ask = @Sendable (String) -> NameBook.Answer

  private var book = NameBook()
  private let answers = Answers()
  private let wake: WakeUp
  private let ask: Ask

  private final class Answers: Sendable {
    private let arrived = Mutex<[(String, NameBook.Answer)]>([])

    func add(_ name: String, _ answer: NameBook.Answer) { arrived.withLock { $0.append((name, answer)) } }

    func take() -> [(String, NameBook.Answer)] {
      arrived.withLock { arrived in
        defer { arrived = [] }
        return arrived
      }
    }
  }

  /// - Parameters:
  ///   - wake: signalled when an answer has come.
  ///   - ask: blocks until the name is known or is known not to be; called on any thread.
  init(wake: WakeUp, ask: @escaping Ask = NameLookup.askSystem) {
    self.wake = wake
    self.ask = ask
  }

  func answer(for name: String, now: Instant) -> NameBook.Answer {
    for (name, answer) in answers.take() { book.learn(name, answer, now: now) }
    let answer = book.answer(for: name, now: now)
    while let next = book.next() { start(next, now: now) }
    return answer
  }

  private func start(_ name: String, now: Instant) {
    do throws(TransportError) {
      let thread = try LoopThread(starting: "carbontube-name") { [answers, wake, ask] in
        answers.add(name, ask(name))
        wake.signal()
      }
      thread.detach()
    } catch {
      book.learn(name, .unknown(error.message), now: now)
    }
  }

  /// The name of a host in an address of TCP; nil where it has a number, which nobody need be asked for.
  static func name(in address: String) -> String? {
    guard let host = parseHost(address) else { return nil }
    var number = in6_addr()
    let withoutZone = host.split(separator: "%", maxSplits: 1).first.map(String.init) ?? host
    return inet_pton(AF_INET, host, &number) == 1 || inet_pton(AF_INET6, withoutZone, &number) == 1 ? nil : host
  }

  /// Prefers IPv4, as libzmq does where it is given a name.
  static let askSystem: Ask = { name in
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(name, nil, &hints, &found)
    guard status == 0 else {
      return .unknown(status == EAI_SYSTEM ? String(cString: strerror(errno)) : String(cString: gai_strerror(status)))
    }
    defer { freeaddrinfo(found) }
    let all = sequence(first: found) { $0?.pointee.ai_next }.prefix { $0 != nil }.compactMap { $0?.pointee }
    guard let best = all.first(where: { $0.ai_family == AF_INET }) ?? all.first else {
      return .unknown("it has no number")
    }
    var number = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    guard
      getnameinfo(best.ai_addr, best.ai_addrlen, &number, socklen_t(number.count), nil, 0, NI_NUMERICHOST) == 0
    else { return .unknown("it has no number") }
    return .number(String(decoding: number.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
  }
}
