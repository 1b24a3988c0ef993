/// What a coordinator wants to find again after a restart, beside jobs.
public protocol StoreMarks: AnyObject {
  /// Marks a phase (nil: the whole pipeline) as paused or resumed; kept over restarts. The coordinator does not claim
  /// from what is paused.
  func setPaused(_ paused: Bool, phase: Int?) throws(StoreError)

  /// What is paused now.
  func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>)

  /// By how many milliseconds the timeline on which due times are told is ahead of the wall clock, as
  /// `setTimelineOffset` left it; 0 in a new store. The coordinator's affair: a store compares due times with
  /// `StoreTurn.promotionTime` alone.
  func timelineOffset() throws(StoreError) -> Int64

  /// Kept over restarts. At most 100 years either way.
  func setTimelineOffset(_ milliseconds: Int64) throws(StoreError)
}
