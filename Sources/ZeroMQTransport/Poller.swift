internal import CZeroMQ
internal import Glibc

/// Waits on sockets and file descriptors together. Belongs to one thread.
public struct Poller {
  private var items: [zmq_pollitem_t] = []

  public init() {}

  public mutating func removeAll() { items.removeAll(keepingCapacity: true) }

  /// Positions count from zero in the order of adding.
  ///
  /// - Parameter isWatched: false keeps the position, but what arrives does not end a wait.
  public mutating func add(_ socket: Socket, isWatched: Bool = true) {
    let events = isWatched ? Int16(ZMQ_POLLIN) : 0
    items.append(zmq_pollitem_t(socket: socket.handle, fd: 0, events: events, revents: 0))
  }

  public mutating func add(fileDescriptor: Int32, writable: Bool = false) {
    let events = ZMQ_POLLIN | (writable ? ZMQ_POLLOUT : 0)
    items.append(zmq_pollitem_t(socket: nil, fd: fileDescriptor, events: Int16(events), revents: 0))
  }

  /// Returns when something is ready, `timeoutMilliseconds` have passed (-1: no limit) or a signal came.
  public mutating func wait(timeoutMilliseconds: Int) {
    _ = items.withUnsafeMutableBufferPointer {
      zmq_poll($0.baseAddress, Int32($0.count), timeoutMilliseconds)
    }
  }

  /// Something is there to read, to write, or to be told an error about.
  public func isReady(_ position: Int) -> Bool { items[position].revents != 0 }
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
