internal import PipelineModel

/// One look at the clocks, for all that a step of the loop does.
struct Moment {
  /// For intervals, timeouts and schedules.
  let instant: Instant
  /// The wall clock: what is stored and shown.
  let wall: Timestamp
  /// Where due times are counted from; see `SteadyTimeline`.
  let steady: Timestamp
}

/// The timeline of due times: the wall clock as it was at one moment, carried on by the monotonic clock. So whoever sets the
/// wall clock neither holds a delayed job up nor makes it start early. A pure value.
struct SteadyTimeline {
  private let origin: Timestamp
  private let start: Instant

  init(origin: Timestamp, start: Instant) {
    self.origin = origin
    self.start = start
  }

  func time(at instant: Instant) -> Timestamp { origin + (instant - start) }
}
