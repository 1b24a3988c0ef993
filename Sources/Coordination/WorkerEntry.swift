internal import PipelineModel
internal import WireProtocol

/// What the coordinator knows of one worker.
struct WorkerEntry {
  enum Connection: Equatable {
    /// Not made yet; perhaps never, where the address is one that only the worker's machine can reach.
    case pending(since: Instant)
    case up
    /// It broke, and may come back.
    case lost(since: Instant)
  }

  var announcement: Announcement
  /// Indexes of the pipeline's phases it can do; the later ones first, so that a pipeline drains from its end.
  let phases: [Int]
  /// In the roster's `SeatTable`, which has its jobs.
  let place: SeatTable.Place
  var lastHeard: Instant
  var connection: Connection
  /// Somebody was told that it cannot be reached.
  var isKnownUnreachable = false
  /// Why there is no connection; nil where its address just does not answer.
  var problem: String?

  var takesJobs: Bool { announcement.state == .serving && connection == .up }

  /// The word of the status.
  var state: String {
    switch connection {
    case .up: announcement.state.description
    case .pending: isKnownUnreachable ? "unreachable" : "connecting"
    case .lost: "disconnected"
    }
  }

  /// Why it takes no jobs, or fewer than it could; empty where all is well.
  var reason: String {
    guard case .pending = connection, isKnownUnreachable else { return announcement.reason }
    return "the coordinator cannot connect to \(announcement.pullAddress)\(problem.map { ": \($0)" } ?? "") "
      + "(--pull-bind and --advertise of the worker)"
  }
}
