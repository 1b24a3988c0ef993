internal import PipelineModel
internal import WireProtocol

/// What the coordinator knows of one worker.
struct WorkerEntry {
  var announcement: Announcement
  /// Indexes of the pipeline's phases it can do; the later ones first, so that a pipeline drains from its end.
  let phases: [Int]
  /// In the roster's `SeatTable`, which has its jobs.
  let place: SeatTable.Place
  var lastHeard: Timestamp
  /// When its connection broke; nil while it stands.
  var disconnectedAt: Timestamp?

  var takesJobs: Bool { announcement.state == .serving && disconnectedAt == nil }
}
