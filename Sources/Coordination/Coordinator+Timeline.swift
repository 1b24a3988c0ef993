internal import JobStorage
internal import PipelineModel

/// The timeline of due times over steps of the wall clock and over restarts.
extension Coordinator {
  /// By how much the two may differ before it matters, in milliseconds.
  private static var tolerance: Int64 { 1_000 }

  /// Due times that an earlier coordinator stored were told on its timeline, not by a clock that has been set since.
  func resumeTimeline(offset: Int64, now: Moment) {
    keptTimelineOffset = offset
    begin(SteadyTimeline(origin: now.wall + offset, start: now.instant))
  }

  /// Called at each tick. Once nothing is delayed the timeline begins anew at the wall clock; until then how far they are
  /// apart is kept in the store, for the next coordinator.
  func keepTimeline(now: Moment) {
    guard case .open = condition, !laneBusy, errands.isEmpty else { return }
    if nextDue == nil, pending.turn.isEmpty, timelineOffset(now) != 0 {
      begin(SteadyTimeline(origin: now.wall, start: now.instant))
    }
    let offset = timelineOffset(moment())
    guard abs(offset - keptTimelineOffset) > (offset == 0 ? 0 : Self.tolerance) else { return }
    run({ store throws(StoreError) in try store.setTimelineOffset(offset) }) { [unowned self] result in
      if case .success = result { keptTimelineOffset = offset }
    }
  }

  /// Zero where they agree.
  private func timelineOffset(_ now: Moment) -> Int64 {
    let offset = min(max(now.steady - now.wall, -longestDurationMilliseconds), longestDurationMilliseconds)
    return abs(offset) > Self.tolerance ? offset : 0
  }

  private func begin(_ timeline: SteadyTimeline) {
    self.timeline = timeline
    lastMoment = Moment(
      instant: lastMoment.instant, wall: lastMoment.wall, steady: timeline.time(at: lastMoment.instant))
  }
}
