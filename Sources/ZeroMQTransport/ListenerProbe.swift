internal import Dispatch
internal import Glibc
internal import Synchronization
internal import WireProtocol

/// What is found at an address where nobody answers. libzmq tries for ever and does not say what it meets, so this looks
/// with a connection of its own, and speaks as much of ZMTP 3 (https://rfc.zeromq.org/spec/23) as makes the other side
/// say which kind of socket it is.
public enum ListenerProbe {
  public enum Finding: Equatable, Sendable {
    case unknownHost(String)
    case nobody
    /// In the system's words, e.g. "No route to host".
    case unreachable(String)
    /// It connects, and no word comes.
    case silent
    case otherProtocol
    /// Of ZeroMQ, e.g. "ROUTER".
    case socket(String)
  }

  /// Blocks for this long at most, on a thread of its own, since name servers take their time.
  ///
  /// - Returns: nil where nothing was found out in time.
  public static func look(at address: String, withinMilliseconds limit: Int) -> Finding? {
    let found = Found()
    let started = try? LoopThread(starting: "carbontube-probe") {
      // Connecting and listening to it, each with its share of the time.
      found.set(find(at: address, withinMilliseconds: max(1, limit / 3)))
    }
    return started == nil ? nil : found.wait(milliseconds: limit)
  }

  private static func find(at address: String, withinMilliseconds limit: Int) -> Finding {
    let connection: Int32
    switch open(address, limit) {
    case .success(let descriptor): connection = descriptor
    case .failure(let failure): return failure.finding
    }
    defer { close(connection) }
    var bytes: [UInt8] = []
    var hasGreeted = false
    while bytes.count < 512, isReady(connection, POLLIN, limit) {
      var part = [UInt8](repeating: 0, count: 512)
      let count = recv(connection, &part, part.count, 0)
      guard count > 0 else { return bytes.isEmpty ? .otherProtocol : finding(in: bytes) }
      bytes += part[..<count]
      guard bytes[0] == greeting[0] else { return .otherProtocol }
      if let kind = socketType(in: bytes) { return .socket(kind) }
      if !hasGreeted { _ = send(connection, greeting, greeting.count, Int32(MSG_NOSIGNAL)) }
      hasGreeted = true
    }
    return finding(in: bytes)
  }

  private static func finding(in bytes: [UInt8]) -> Finding { bytes.isEmpty ? .silent : .otherProtocol }

  // MARK: ZMTP

  /// Signature, version 3.0, mechanism NULL, no server.
  private static let greeting: [UInt8] =
    [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)

  /// The first property of the READY command behind the greeting; nil until it has come.
  static func socketType(in bytes: [UInt8]) -> String? {
    let name = Array("\u{5}READY\u{B}Socket-Type".utf8)
    let command = bytes.dropFirst(greeting.count).dropFirst(2)
    guard command.starts(with: name) else { return nil }
    let value = command.dropFirst(name.count)
    guard value.count >= 4, let length = value.dropFirst(3).first, value.count >= 4 + Int(length) else { return nil }
    return String(decoding: value.dropFirst(4).prefix(Int(length)), as: UTF8.self)
  }

  // MARK: Connecting

  private struct Failure: Error {
    var finding: Finding
    init(_ code: Int32) {
      let isNobody = code == ECONNREFUSED || code == ENOENT
      finding = isNobody ? .nobody : .unreachable(String(cString: strerror(code)))
    }
    init(unknown host: String) { finding = .unknownHost(host) }
  }

  private static func open(_ address: String, _ limit: Int) -> Result<Int32, Failure> {
    guard address.hasPrefix("tcp://"), let host = parseHost(address), let port = parsePort(address) else {
      return openLocal(String(address.drop { $0 != "/" }.dropFirst(2)), limit)
    }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &found) == 0 else { return .failure(Failure(unknown: host)) }
    defer { freeaddrinfo(found) }
    var last = Result<Int32, Failure>.failure(Failure(unknown: host))
    var next = found
    while let entry = next?.pointee, let name = entry.ai_addr {
      last = connected(entry.ai_family, name, entry.ai_addrlen, limit)
      if case .success = last { return last }
      next = entry.ai_next
    }
    return last
  }

  private static func openLocal(_ path: String, _ limit: Int) -> Result<Int32, Failure> {
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: name.sun_path)
    guard path.utf8.count < room else { return .failure(Failure(ENAMETOOLONG)) }
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connected(AF_UNIX, $0, socklen_t(MemoryLayout<sockaddr_un>.size), limit)
      }
    }
  }

  private static func connected(
    _ family: Int32, _ name: UnsafePointer<sockaddr>, _ length: socklen_t, _ limit: Int
  ) -> Result<Int32, Failure> {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let connection = socket(family, kind, 0)
    guard connection >= 0 else { return .failure(Failure(errno)) }
    var problem = connect(connection, name, length) == 0 ? 0 : errno
    if problem == EINPROGRESS {
      problem = isReady(connection, POLLOUT, limit) ? pendingError(of: connection) : ETIMEDOUT
    }
    guard problem != 0 else { return .success(connection) }
    close(connection)
    return .failure(Failure(problem))
  }

  private static func pendingError(of connection: Int32) -> Int32 {
    var problem: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(connection, SOL_SOCKET, SO_ERROR, &problem, &length) == 0 ? problem : errno
  }

  /// - Returns: false where `limit` passes first.
  private static func isReady(_ connection: Int32, _ event: Int32, _ limit: Int) -> Bool {
    var waiting = pollfd(fd: connection, events: Int16(event), revents: 0)
    return poll(&waiting, 1, Int32(clamping: limit)) > 0
  }
}

extension ListenerProbe.Finding {
  /// What to tell whoever looked for a socket of this kind, as a part of a sentence.
  public func reason(expecting kind: String) -> String {
    switch self {
    case .unknownHost(let host): "no host '\(host)' is known"
    case .nobody: "nothing listens there"
    case .unreachable(let reason): "it cannot be reached (\(reason))"
    case .silent: "what listens there says nothing: another service, or a coordinator that stands still"
    case .otherProtocol: "what listens there is another service"
    case .socket(kind): "it is there, but does not answer in time"
    case .socket: "that is another port of a pipeline or worker"
    }
  }
}

/// What a thread finds out that nobody may wait for any more.
private final class Found: Sendable {
  private let finding = Mutex<ListenerProbe.Finding?>(nil)
  private let isFound = DispatchSemaphore(value: 0)

  func set(_ finding: ListenerProbe.Finding) {
    self.finding.withLock { $0 = finding }
    isFound.signal()
  }

  func wait(milliseconds: Int) -> ListenerProbe.Finding? {
    _ = isFound.wait(timeout: .now() + .milliseconds(milliseconds))
    return finding.withLock { $0 }
  }
}
