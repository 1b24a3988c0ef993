/// How much of what peers were answered still waits for them to read it, so that one that asks and never reads cannot fill
/// the memory. A pure value.
///
/// libzmq does not tell how much it keeps for a peer, but the kernel tells how many bytes the other side has acknowledged:
/// what was sent and is not acknowledged waits, here or on its way.
struct UnreadAnswers {
  /// In bytes.
  static let maximumPerPeer = 64 << 20
  static let maximum = 512 << 20
  /// Smaller answers are bounded by their number, in libzmq.
  static let worthCounting = 4 << 10

  private struct Peer {
    var unread: UInt64
    var acknowledged: UInt64
  }

  private var peers: [[UInt8]: Peer] = [:]

  /// - Parameter acknowledged: bytes, of all that the connection was sent since it began.
  func unread(of route: [UInt8], acknowledged: UInt64) -> Int {
    guard let peer = peers[route] else { return 0 }
    let news = acknowledged >= peer.acknowledged ? acknowledged - peer.acknowledged : .max
    return Int(clamping: peer.unread - min(peer.unread, news))
  }

  /// - Parameter acknowledged: of any peer; nil where it is not there any more.
  mutating func hasRoom(for bytes: Int, at route: [UInt8], acknowledged: ([UInt8]) -> UInt64?) -> Bool {
    guard let own = acknowledged(route) else { return true }
    let there = unread(of: route, acknowledged: own)
    guard there == 0 || there + bytes <= Self.maximumPerPeer else { return false }
    if total + bytes > Self.maximum { refresh(acknowledged) }
    return total + bytes <= Self.maximum
  }

  private var total: Int { peers.values.reduce(0) { $0 + Int(clamping: $1.unread) } }

  private mutating func refresh(_ acknowledged: ([UInt8]) -> UInt64?) {
    for route in peers.keys { note(0, to: route, acknowledged: acknowledged(route)) }
  }

  /// Something was sent.
  mutating func note(_ bytes: Int, to route: [UInt8], acknowledged: UInt64?) {
    guard let acknowledged else { return drop(route) }
    let rest = UInt64(unread(of: route, acknowledged: acknowledged) + bytes)
    peers[route] = rest == 0 ? nil : Peer(unread: rest, acknowledged: acknowledged)
  }

  mutating func drop(_ route: [UInt8]) { peers[route] = nil }
}
