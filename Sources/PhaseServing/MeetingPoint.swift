internal import PipelineModel
internal import WireProtocol
internal import ZeroMQTransport

/// An address where a process meets coordinators: it listens to their subscriptions, which carry where they are. Nothing is
/// published.
final class MeetingPoint {
  /// Coordinators that are sought at one address: bounds what strangers can make a worker connect to.
  static let maximumAddresses = 64

  let address: String
  let socket: Socket
  private let host: String
  /// Of coordinators that are there now.
  private(set) var coordinators: Set<String> = []
  /// Somebody of protocol 1 is there.
  private(set) var hasOlderProtocol = false
  var silence = SilenceRemark()

  init(_ address: String, in context: SocketContext) throws(TransportError) {
    self.address = address
    host = parseHost(address) ?? "127.0.0.1"
    socket = try Socket(.publish, in: context)
    socket.setHeartbeat(intervalMilliseconds: 2_000, timeoutMilliseconds: 6_000)
    try socket.connect(address)
  }

  /// Takes in who came and went.
  /// - Returns: whether anything changed.
  func readSubscriptions() -> Bool {
    let before = coordinators
    while let frames = socket.receive() {
      guard let first = frames.first else { continue }
      switch MeetingTopic.subscription(in: first) {
      case .begun(let said):
        guard coordinators.count < Self.maximumAddresses else { continue }
        coordinators.insert(replacingWildcardHost(in: said, with: host))
      case .ended(let said): coordinators.remove(replacingWildcardHost(in: said, with: host))
      case .olderProtocol: hasOlderProtocol = true
      case nil: continue
      }
    }
    return coordinators != before
  }
}
