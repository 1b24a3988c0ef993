internal import PipelineModel

/// When the loop does what it does now and then. A pure value.
struct LoopRounds {
  /// What a tick does besides what every tick does.
  struct Tick: Hashable {
    /// Looks for peers that send without an end.
    var endsOverfullPeers: Bool
    /// See `Coordinator.maintain`.
    var maintains: Bool
  }

  /// In milliseconds.
  static let tickInterval: Int64 = 100
  static let peerInterval: Int64 = 200
  static let maintenanceInterval: Int64 = 5_000
  /// A loop that did not come round for this long was stopped, and has no right to miss anybody's heartbeat.
  static let stoppedAfter: Int64 = 1_000

  private var tick = Instant(milliseconds: .min)
  private var peers = Instant(milliseconds: .min)
  private var maintenance = Instant(milliseconds: .min)
  private var lastTurn = Instant.distantFuture
  /// When a worker whose connection has ended is to be lost: not at the next tick after that.
  private var loss = Instant.distantFuture

  var nextTickAt: Instant { min(tick, loss) }

  /// A worker whose connection has ended is to be looked at then.
  mutating func expectLoss(at time: Instant) { loss = min(loss, time) }

  /// The loop comes round.
  /// - Returns: true where it had been stopped.
  mutating func comeRound(now: Instant) -> Bool {
    defer { lastTurn = now }
    return now - lastTurn > Self.stoppedAfter
  }

  /// - Returns: nil where no tick is due.
  mutating func takeTick(now: Instant) -> Tick? {
    guard now >= nextTickAt else { return nil }
    tick = now + Self.tickInterval
    if now >= loss { loss = .distantFuture }
    let due = Tick(endsOverfullPeers: now >= peers, maintains: now >= maintenance)
    if due.endsOverfullPeers { peers = now + Self.peerInterval }
    if due.maintains { maintenance = now + Self.maintenanceInterval }
    return due
  }
}
