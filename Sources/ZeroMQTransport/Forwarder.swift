internal import CZeroMQ

/// Lets workers and coordinators meet at one address: what coordinators subscribe to at one of its sockets, workers hear at
/// the other (zmq_proxy(3)). Jobs do not pass through it.
///
/// `run` blocks the thread it is called on; `stop` may be called from any other.
public final class Forwarder: Sendable {
  /// As bound, with the port where that was left open.
  public let workersAddress: String
  public let coordinatorsAddress: String
  private let context: SocketContext
  private let sockets: Sockets

  /// Used by one thread after the other: that of `init`, then that of `run`.
  private struct Sockets: @unchecked Sendable {
    let workers: Socket
    let coordinators: Socket
  }

  /// Binds both sockets.
  /// - Throws: where an address cannot be used.
  public init(workers: String, coordinators: String) throws(TransportError) {
    context = try SocketContext()
    let ofWorkers = try Socket(.forwardedSubscribe, in: context, maximumMessageBytes: 1 << 20)
    let ofCoordinators = try Socket(.publish, in: context, maximumMessageBytes: 1 << 20)
    for socket in [ofWorkers, ofCoordinators] {
      socket.setHeartbeat(intervalMilliseconds: 2_000, timeoutMilliseconds: 6_000)
    }
    workersAddress = try ofWorkers.bind(workers)
    coordinatorsAddress = try ofCoordinators.bind(coordinators)
    sockets = Sockets(workers: ofWorkers, coordinators: ofCoordinators)
  }

  /// Forwards until `stop`.
  public func run() { zmq_proxy(sockets.workers.handle, sockets.coordinators.handle, nil) }

  /// Ends `run`; once.
  public func stop() { zmq_ctx_shutdown(context.handle) }
}
