internal import PipelineModel

/// Whether the wall clock may be believed when things are thrown away by their age. A pure value, fed with both clocks.
///
/// A clock that is wrong for a moment (a guest that wakes up, a battery that died, a slip of an administrator's) makes
/// everything look old. What is deleted then is gone, so a clock that has stepped is not believed until it has gone
/// steadily for a while, and neither is that of a process which has only just begun.
struct ClockTrust {
  /// A difference between both clocks' progress above this is a step, in milliseconds.
  static let step: Int64 = 5_000
  static let quarantine: Int64 = 15 * 60_000

  private var origin: (wall: Timestamp, instant: Instant)
  private var steadySince: Instant

  init(_ now: Moment) {
    origin = (now.wall, now.instant)
    steadySince = now.instant
  }

  /// Called at least every few seconds.
  mutating func observe(_ now: Moment) {
    let (wall, monotonic) = (now.wall - origin.wall, now.instant - origin.instant)
    let drift = Timestamp(milliseconds: wall) - Timestamp(milliseconds: monotonic)
    // From look to look, so that a clock which is slowly put right does not count.
    origin = (now.wall, now.instant)
    if drift > Self.step || drift < -Self.step { steadySince = now.instant }
  }

  /// - Parameter age: from which things are deleted, in milliseconds.
  func allowsDeleting(olderThan age: Int64, at now: Instant) -> Bool {
    now - steadySince >= min(Self.quarantine, max(0, age))
  }
}
