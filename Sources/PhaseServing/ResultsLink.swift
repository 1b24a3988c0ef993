internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// The connection that results go over. Nothing is queued while it is not up: the outbox keeps what is unanswered, so a
/// second queue behind it would only grow.
final class ResultsLink {
  let address: String
  let socket: Socket
  let monitor: ConnectionMonitor
  private(set) var isUp = false

  /// - Parameter number: of this link among those of the context.
  init(_ address: String, in context: SocketContext, number: Int) throws(TransportError) {
    self.address = address
    socket = try Socket(.dealer, in: context, lingerMilliseconds: 500)
    socket.queueOnlyWhileConnected()
    socket.setHeartbeat(intervalMilliseconds: 2_000, timeoutMilliseconds: 6_000)
    monitor = try ConnectionMonitor(of: socket, name: "results-\(number)")
    try socket.connect(address)
  }

  /// Reads what the monitor has to tell.
  /// - Returns: whether the connection came up, so that all is to be sent that has no answer.
  func followConnection() -> Bool {
    var cameUp = false
    for event in monitor.events() {
      isUp = event == .connected
      if isUp { cameUp = true }
    }
    return cameUp && isUp
  }
}
