internal import Glibc

/// An operating-system thread for an event loop: the loop blocks in polls, which no thread of Swift's cooperative pool
/// may do.
public final class LoopThread: @unchecked Sendable {
  private let thread: pthread_t

  /// - Parameters:
  ///   - name: for the message where it cannot be started.
  ///   - body: runs on the new thread, once.
  /// - Throws: where the machine is out of threads.
  public init(starting name: String, _ body: @escaping @Sendable () -> Void) throws(TransportError) {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(ThreadBody(body))
    let status = pthread_create(&thread, nil, Self.entry, argument.toOpaque())
    guard status == 0 else {
      argument.release()
      throw TransportError(code: status, message: "cannot start thread '\(name)': \(String(cString: strerror(status)))")
    }
    self.thread = thread
  }

  /// For a thread that nothing can go on without: ends the process where the machine is out of threads.
  public convenience init(name: String, _ body: @escaping @Sendable () -> Void) {
    do throws(TransportError) { try self.init(starting: name, body) } catch { fatalError(error.message) }
  }

  private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
    guard let argument else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
    return nil
  }

  /// Waits for the body to return. Once, and not after `detach`.
  public func join() { pthread_join(thread, nil) }

  /// Nobody will wait for it: the thread frees itself at its end. Once.
  public func detach() { pthread_detach(thread) }
}

private final class ThreadBody {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
