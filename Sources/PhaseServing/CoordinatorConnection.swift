internal import PipelineModel
internal import ZeroMQTransport

/// A process's connection to one coordinator, by which all its services speak. Nothing is queued while it is not up: each
/// service keeps what is unanswered, so a second queue behind that would only grow.
final class CoordinatorConnection {
  /// Tells it from every other connection of the process, former ones included.
  let number: Int
  let address: String
  let socket: Socket
  let monitor: ConnectionMonitor
  private(set) var isUp = false
  /// The run of the coordinator that is there, once one of the services was welcomed.
  var run: String?
  /// When something came by it last, or it changed.
  var heardAt: Instant
  /// When its address was heard last where workers meet coordinators; nil: not looked at yet.
  var lastSought: Instant?

  init(_ address: String, number: Int, in context: SocketContext, now: Instant) throws(TransportError) {
    self.address = address
    self.number = number
    heardAt = now
    socket = try Socket(.dealer, in: context, lingerMilliseconds: 500)
    socket.queueOnlyWhileConnected()
    socket.setAcknowledgementLimit(milliseconds: 1_500)
    monitor = try ConnectionMonitor(of: socket, name: "coordinator-\(number)")
    try socket.connect(address)
  }

  /// Reads what the monitor has to tell.
  /// - Returns: whether the connection came up or was lost.
  func followMonitor(now: Instant) -> Bool {
    guard let last = monitor.events().last else { return false }
    isUp = last == .connected
    // Whoever answers there now may be another one.
    run = nil
    heardAt = now
    return true
  }

  func send(_ frames: [[UInt8]]) -> Bool { isUp && socket.send(frames) }
}
