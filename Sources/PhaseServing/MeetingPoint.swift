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
  /// As the coordinators that are there now have said them.
  private var said: Set<String> = []
  /// Addresses that turned out to be of a coordinator that is served by another one, which is their value.
  private var otherNames: [String: String] = [:]
  /// Of coordinators that are there now, each by one address.
  var coordinators: Set<String> { Set(said.map { otherNames[$0] ?? $0 }) }
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
    let before = said
    while let frames = socket.receive() {
      guard let first = frames.first else { continue }
      switch MeetingTopic.subscription(in: first) {
      case .begun(let address):
        guard said.count < Self.maximumAddresses else { continue }
        said.insert(replacingWildcardHost(in: address, with: host))
      case .ended(let address): said.remove(replacingWildcardHost(in: address, with: host))
      case .olderProtocol: hasOlderProtocol = true
      case nil: continue
      }
    }
    return said != before
  }

  /// One coordinator has both addresses.
  func note(_ address: String, isAnotherNameOf served: String) { otherNames[address] = served }

  /// It is not served by this address any more: any other may be tried.
  /// - Returns: whether there are others.
  func forgetNames(of served: String) -> Bool {
    let former = otherNames.count
    otherNames = otherNames.filter { $0.value != served }
    return otherNames.count < former
  }
}
