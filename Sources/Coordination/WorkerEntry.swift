internal import PipelineModel
internal import WireProtocol

/// What the coordinator knows of one worker.
struct WorkerEntry {
  var announcement: Announcement
  /// Indexes of the pipeline's phases it can do; the later ones first, so that a pipeline drains from its end.
  let phases: [Int]
  var lastHeard: Timestamp
  /// When its connection broke; nil while it stands.
  var disconnectedAt: Timestamp?
  var flights: Set<LeaseToken> = []
  /// Slots promised to claims that the store has not answered yet.
  var reserved = 0
  /// Jobs ever given to it; spreads work evenly among equally loaded workers.
  var dispatched = 0

  var load: Int { flights.count + reserved }

  var takesJobs: Bool { announcement.state == .serving && disconnectedAt == nil }

  /// - Parameter depth: jobs per slot, the running one included; more than one so that a short job's slot never idles
  ///   for the length of a round trip.
  func freeSlots(depth: Int) -> Int {
    guard takesJobs else { return 0 }
    return max(0, room(depth: depth) - load)
  }

  /// Bounded, since a worker lists what it holds in every announcement.
  func room(depth: Int) -> Int {
    let slots = announcement.concurrency
    return min(slots * depth, max(slots * min(depth, 2), Announcement.maximumInFlight / 2))
  }
}
