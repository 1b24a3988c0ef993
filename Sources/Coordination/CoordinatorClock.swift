internal import PipelineModel

/// The clocks of the coordinator's loop, and the timeline of due times over steps of the wall clock and over restarts. A
/// value; the clocks that it reads are passed in.
struct CoordinatorClock {
  /// By how much the timeline and the wall clock may differ before it matters, in milliseconds.
  private static let tolerance: Int64 = 1_000

  private let clocks: Clocks
  private var timeline: SteadyTimeline
  private var last: Moment
  /// By how much the timeline is ahead of the wall clock, as the store has it.
  private var storedOffset: Int64 = 0

  init(_ clocks: Clocks) {
    self.clocks = clocks
    let (instant, wall) = (clocks.instant(), Self.wall(clocks))
    timeline = SteadyTimeline(origin: wall, start: instant)
    last = Moment(instant: instant, wall: wall, steady: wall)
  }

  /// Asked for several times a step: the wall clock is read once in a millisecond.
  mutating func moment() -> Moment {
    let instant = clocks.instant()
    return instant == last.instant ? last : look(at: instant)
  }

  /// The same where the wall clock may have been set since it was read.
  @discardableResult
  mutating func freshMoment() -> Moment { look(at: clocks.instant()) }

  private mutating func look(at instant: Instant) -> Moment {
    last = Moment(instant: instant, wall: Self.wall(clocks), steady: timeline.time(at: instant))
    return last
  }

  /// Before 1970 there is no time that stores could keep.
  private static func wall(_ clocks: Clocks) -> Timestamp { max(Timestamp(milliseconds: 0), clocks.timestamp()) }

  // MARK: - The timeline

  /// Due times that an earlier coordinator stored were told on its timeline, not by a clock that has been set since.
  /// - Parameter offset: as the store has it.
  mutating func resume(offset: Int64) {
    let now = moment()
    storedOffset = offset
    begin(SteadyTimeline(origin: now.wall + offset, start: now.instant))
  }

  /// Called at each tick, while the store can be written to. Once nothing is delayed the timeline begins anew at the wall
  /// clock; until then how far they are apart is kept in the store, for the next coordinator.
  /// - Returns: the offset that the store is to keep from now on; nil where it has it.
  mutating func offsetToStore(isAnythingDelayed: Bool) -> Int64? {
    let now = moment()
    if !isAnythingDelayed, offset(now) != 0 { begin(SteadyTimeline(origin: now.wall, start: now.instant)) }
    let offset = offset(moment())
    return abs(offset - storedOffset) > (offset == 0 ? 0 : Self.tolerance) ? offset : nil
  }

  mutating func stored(offset: Int64) { storedOffset = offset }

  /// Zero where they agree.
  private func offset(_ now: Moment) -> Int64 {
    let offset = min(max(now.steady - now.wall, -longestDurationMilliseconds), longestDurationMilliseconds)
    return abs(offset) > Self.tolerance ? offset : 0
  }

  private mutating func begin(_ timeline: SteadyTimeline) {
    self.timeline = timeline
    last = Moment(instant: last.instant, wall: last.wall, steady: timeline.time(at: last.instant))
  }
}
