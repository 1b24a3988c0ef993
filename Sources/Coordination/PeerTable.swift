internal import PipelineModel

/// Which peers of a bound socket are there, and how much they have sent that has not come out yet. A pure value.
///
/// A message tells the route it came by and the descriptor of its connection; the socket's monitor tells which
/// descriptors come and go. Descriptors are used again at once, so the monitor is read after the messages, and the last
/// event of a descriptor counts.
struct PeerTable {
  private struct Connection {
    var route: [UInt8]?
    /// Bytes that had come in when the last look found that a message had come out.
    var base: UInt64 = 0
    var seen: UInt64 = 0
    var delivered = false
  }

  private var connections: [Int32: Connection] = [:]

  var descriptors: [Int32] { Array(connections.keys) }

  /// - Returns: a route whose connection must have ended, since its descriptor speaks for another one.
  mutating func heard(from route: [UInt8], on descriptor: Int32) -> [UInt8]? {
    connections[descriptor, default: Connection()].delivered = true
    guard let former = connections[descriptor]?.route else {
      connections[descriptor]?.route = route
      return nil
    }
    guard former != route else { return nil }
    connections[descriptor]?.route = route
    return former
  }

  mutating func heard(on descriptor: Int32) { connections[descriptor, default: Connection()].delivered = true }

  /// - Parameter events: since the last call, oldest first.
  /// - Returns: routes that are gone.
  mutating func update(_ events: [(descriptor: Int32, isUp: Bool)]) -> [[UInt8]] {
    var last: [Int32: Bool] = [:]
    for event in events { last[event.descriptor] = event.isUp }
    var gone: [[UInt8]] = []
    for (descriptor, isUp) in last {
      if isUp {
        if connections[descriptor] == nil { connections[descriptor] = Connection() }
      } else if let route = connections.removeValue(forKey: descriptor)?.route {
        gone.append(route)
      }
    }
    return gone
  }

  /// Called now and then for each connection.
  /// - Parameter received: bytes that the connection has brought since it began.
  /// - Returns: true where more than `limit` bytes of them are kept back without a message that came to its end.
  mutating func isOverfull(_ descriptor: Int32, received: UInt64, limit: UInt64) -> Bool {
    guard var connection = connections[descriptor] else { return false }
    defer { connections[descriptor] = connection }
    // Counts from the look before: a message that came out since then may have come in before it.
    if connection.delivered || received < connection.base { connection.base = min(connection.seen, received) }
    connection.delivered = false
    connection.seen = received
    return received - connection.base > limit
  }
}
