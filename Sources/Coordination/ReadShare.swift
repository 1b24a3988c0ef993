internal import PipelineModel

/// The share of the time that looking at the store may have while turns go on: what looks takes processors, and the server
/// of a store, from what works. A pure value.
struct ReadShare {
  /// Turns have so many times as long as looking took.
  let rest: Int64
  private var owedMicroseconds: Int64 = 0
  private var turn = -1
  private(set) var restsUntil = Instant(milliseconds: .min)

  init(rest: Int64) { self.rest = rest }

  /// Somebody's read is over.
  /// - Parameter turn: the number of the turn that is being gathered.
  mutating func took(microseconds: Int64, turn: Int, now: Instant) {
    self.turn = turn
    owedMicroseconds += min(max(0, microseconds), Self.longestMicroseconds) * rest
    restsUntil = now + owedMicroseconds / 1_000
    owedMicroseconds %= 1_000
  }

  /// A store that hung is no reason to stop looking for as long.
  private static let longestMicroseconds: Int64 = 250_000

  /// - Parameter isIdle: nothing is being done for a turn.
  func allows(now: Instant, turn: Int, isIdle: Bool) -> Bool { now >= restsUntil || (isIdle && turn == self.turn) }
}
