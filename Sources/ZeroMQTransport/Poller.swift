internal import CZeroMQ
internal import Glibc

/// Waits on sockets and file descriptors together. Belongs to one thread, that of its sockets.
///
/// libzmq's own zmq_poll asks every socket before and after it sleeps, at two system calls each. Here the kernel tells
/// which have changed (epoll(7)), by the descriptor that libzmq gives for that (ZMQ_FD), so a wait costs the same for 3
/// sockets and for 300. That descriptor tells of changes only, and any call on the socket may take the news of one: a
/// socket is therefore asked once more before the next wait unless its last call found nothing to receive.
public final class Poller {
  private let epoll: Int32
  private var sockets: [Int: Socket] = [:]
  /// Watched sockets that may have input the kernel does not tell of.
  private var suspects: [Int] = []
  private var events = Array(repeating: epoll_event(), count: 64)

  /// The keys of what ended the last wait, each once: something is there to read, to write, or to be told an error about.
  public private(set) var ready: [Int] = []

  public init() { epoll = epoll_create1(Int32(EPOLL_CLOEXEC)) }

  deinit {
    for socket in sockets.values { socket.poller = nil }
    close(epoll)
  }

  /// - Parameter key: what `ready` calls it; one for each.
  public func add(_ socket: Socket, as key: Int = 0) {
    sockets[key] = socket
    socket.poller = self
    socket.pollKey = key
    socket.isDrained = false
    suspect(key)
    control(EPOLL_CTL_ADD, socket.changeDescriptor, EPOLLIN.rawValue, key)
  }

  public func remove(_ socket: Socket) {
    guard sockets.removeValue(forKey: socket.pollKey) != nil else { return }
    socket.poller = nil
    suspects.removeAll { $0 == socket.pollKey }
    control(EPOLL_CTL_DEL, socket.changeDescriptor, 0, 0)
  }

  public func add(fileDescriptor: Int32, as key: Int = 0, writable: Bool = false) {
    control(EPOLL_CTL_ADD, fileDescriptor, Self.interest(writable: writable), key)
  }

  public func change(fileDescriptor: Int32, as key: Int, writable: Bool) {
    control(EPOLL_CTL_MOD, fileDescriptor, Self.interest(writable: writable), key)
  }

  /// Before it is closed.
  public func remove(fileDescriptor: Int32) { control(EPOLL_CTL_DEL, fileDescriptor, 0, 0) }

  /// Returns when something is ready, `timeoutMilliseconds` have passed (-1: no limit) or a signal came.
  public func wait(timeoutMilliseconds: Int) {
    ready.removeAll(keepingCapacity: true)
    askSuspects()
    guard ready.isEmpty, timeoutMilliseconds != 0 else {
      sleep(milliseconds: 0)
      return
    }
    let deadline = timeoutMilliseconds < 0 ? nil : ContinuousClock.now + .milliseconds(timeoutMilliseconds)
    var rest = timeoutMilliseconds
    // A socket's descriptor also tells of connections that come and go.
    while sleep(milliseconds: rest), ready.isEmpty {
      guard let deadline else { continue }
      rest = Int(ContinuousClock.now.duration(to: deadline) / .milliseconds(1))
      if rest <= 0 { return }
    }
  }

  /// - Returns: false where nothing happened in that time, or a signal came.
  @discardableResult
  private func sleep(milliseconds: Int) -> Bool {
    let count = epoll_wait(epoll, &events, Int32(events.count), Int32(clamping: milliseconds))
    for index in 0..<max(0, Int(count)) {
      let key = Int(events[index].data.u64)
      guard let socket = sockets[key] else {
        if !ready.contains(key) { ready.append(key) }
        continue
      }
      ask(socket)
    }
    return count > 0
  }

  private func ask(_ socket: Socket) {
    socket.isDrained = !socket.hasInput
    if !socket.isDrained, !ready.contains(socket.pollKey) { ready.append(socket.pollKey) }
  }

  /// The socket was used in a way that may have taken the news of input.
  func suspect(_ key: Int) {
    if !suspects.contains(key) { suspects.append(key) }
  }

  private func askSuspects() {
    guard !suspects.isEmpty else { return }
    for key in suspects { if let socket = sockets[key], !socket.isDrained { ask(socket) } }
    suspects.removeAll { sockets[$0]?.isDrained ?? true }
  }

  private static func interest(writable: Bool) -> UInt32 { EPOLLIN.rawValue | (writable ? EPOLLOUT.rawValue : 0) }

  private func control(_ operation: Int32, _ descriptor: Int32, _ interest: UInt32, _ key: Int) {
    var event = epoll_event(events: interest, data: epoll_data_t(u64: UInt64(key)))
    _ = epoll_ctl(epoll, operation, descriptor, &event)
  }
}

/// Wakes a `Poller` from another thread: an eventfd.
public final class WakeUp: Sendable {
  public let fileDescriptor: Int32

  public init() { fileDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC)) }

  deinit { close(fileDescriptor) }

  /// Any thread.
  public func signal() {
    var one: UInt64 = 1
    _ = write(fileDescriptor, &one, 8)
  }

  /// The polling thread: takes all signals since the last call.
  public func clear() {
    var count: UInt64 = 0
    _ = read(fileDescriptor, &count, 8)
  }
}
