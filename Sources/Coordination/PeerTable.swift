internal import PipelineModel

/// Which peers of a bound socket are there, and how much they have sent that has not come out yet. A pure value.
///
/// A message tells the route it came by and the descriptor of its connection; the socket's monitor tells which
/// descriptors come and go. Descriptors are used again at once, so the monitor is read after the messages, and the last
/// event of a descriptor counts.
struct PeerTable {
  private struct Connection {
    var route: [UInt8]?
    /// Bytes of messages that came out, with what surrounds them on the wire.
    var delivered: UInt64 = 0
    /// Rises with each connection.
    var number = 0
    var isEnding = false
  }

  /// ZMTP's flags and length in front of each frame, at most.
  private static let frameOverhead = 9

  private var connections: [Int32: Connection] = [:]
  private var descriptorOfRoute: [[UInt8]: Int32] = [:]
  private var made = 0

  var descriptors: [Int32] { Array(connections.keys) }

  /// The connection that a peer spoke by.
  func descriptor(of route: [UInt8]) -> Int32? { descriptorOfRoute[route] }

  /// A message came out.
  /// - Returns: a route whose connection must have ended, since its descriptor speaks for another one.
  mutating func heard(from route: [UInt8]?, on descriptor: Int32, bytes: Int, frames: Int) -> [UInt8]? {
    guard descriptor >= 0 else { return nil }
    let size = UInt64(bytes + Self.frameOverhead * frames)
    guard let index = connections.index(forKey: descriptor) else {
      connections[descriptor] = Connection(route: route, delivered: size)
      if let route { descriptorOfRoute[route] = descriptor }
      return nil
    }
    connections.values[index].delivered += size
    guard let route, connections.values[index].route != route else { return nil }
    let former = connections.values[index].route
    connections.values[index].route = route
    descriptorOfRoute[route] = descriptor
    if let former { forget(former, on: descriptor) }
    // What was counted belonged to the connection before.
    if former != nil { connections.values[index].delivered = size }
    return former
  }

  /// - Parameter events: since the last call, oldest first.
  /// - Returns: routes that are gone.
  mutating func update(_ events: [(descriptor: Int32, isUp: Bool)]) -> [[UInt8]] {
    var last: [Int32: Bool] = [:]
    for event in events { last[event.descriptor] = event.isUp }
    var gone: [[UInt8]] = []
    for (descriptor, isUp) in last {
      if isUp {
        made += 1
        connections[descriptor, default: Connection()].number = made
        connections[descriptor]?.isEnding = false
      } else if let route = connections.removeValue(forKey: descriptor)?.route {
        forget(route, on: descriptor)
        gone.append(route)
      }
    }
    return gone
  }

  /// A peer that came back by another connection keeps that one.
  private mutating func forget(_ route: [UInt8], on descriptor: Int32) {
    if descriptorOfRoute[route] == descriptor { descriptorOfRoute[route] = nil }
  }

  /// Chooses connections to be ended, where there are too many: those that never said anything, the oldest first, then the
  /// newest of the others. Each is chosen once.
  mutating func chooseToEnd(_ count: Int) -> [Int32] {
    let candidates = connections.filter { !$0.value.isEnding }.sorted { one, other in
      let (one, other) = (one.value, other.value)
      guard (one.delivered == 0) == (other.delivered == 0) else { return one.delivered == 0 }
      return one.delivered == 0 ? one.number < other.number : one.number > other.number
    }
    let chosen = candidates.prefix(count).map(\.key)
    for descriptor in chosen { connections[descriptor]?.isEnding = true }
    return chosen
  }

  /// Connections whose messages do not end. Called now and then.
  /// - Parameters:
  ///   - received: the bytes that each connection has brought since it began.
  ///   - limit: of bytes of one connection that have not come out as messages; all together may have eight times as much,
  ///     and beyond that those that keep back the most are named.
  mutating func overfull(received: [Int32: UInt64], beyond limit: UInt64) -> [(descriptor: Int32, bytes: UInt64)] {
    let keptBack = received.map { (descriptor: $0, bytes: self.keptBack(by: $0, received: $1)) }
    var total = keptBack.reduce(UInt64(0)) { $0 + $1.bytes }
    let largest = keptBack.sorted { $0.bytes > $1.bytes }
    let chosen = largest.prefix { _, bytes in
      defer { total -= bytes }
      return bytes > limit || total > 8 * limit
    }
    return Array(chosen)
  }

  /// Bytes of what a connection has brought that have not come out as messages.
  private mutating func keptBack(by descriptor: Int32, received: UInt64) -> UInt64 {
    guard let delivered = connections[descriptor]?.delivered else { return 0 }
    guard delivered <= received else {
      connections[descriptor]?.delivered = received
      return 0
    }
    return received - delivered
  }
}
