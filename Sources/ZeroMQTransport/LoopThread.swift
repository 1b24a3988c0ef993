internal import Glibc

/// An operating-system thread for an event loop: the loop blocks in polls, which no thread of Swift's cooperative pool
/// may do.
public final class LoopThread: @unchecked Sendable {
  private let thread: pthread_t

  /// - Parameters:
  ///   - name: for the message where it cannot be started.
  ///   - body: runs on the new thread, once.
  public init(name: String, _ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    let status = pthread_create(&thread, nil, Self.entry, argument)
    // Only EAGAIN is possible here: the machine is out of threads, and nothing can go on without this one.
    precondition(status == 0, "cannot start thread '\(name)': \(String(cString: strerror(status)))")
    self.thread = thread
  }

  private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
    guard let argument else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
    return nil
  }

  /// Waits for the body to return. Once.
  public func join() { pthread_join(thread, nil) }
}

private final class ThreadBody {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
