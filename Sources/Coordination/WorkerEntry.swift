internal import PipelineModel
internal import WireProtocol

/// What the coordinator knows of one worker.
struct WorkerEntry {
  enum Connection: Equatable {
    case up
    /// It broke, and may come back.
    case lost(since: Instant)
  }

  var hello: Hello
  /// Names the connection that its messages come by.
  var route: [UInt8]
  /// Indexes of the pipeline's phases it can do; the later ones first, so that a pipeline drains from its end.
  let phases: [Int]
  /// In the roster's `LoadTable`, which has its jobs.
  let handle: LoadTable.Handle
  var lastHeard: Instant
  var connection = Connection.up
  /// Something could not be sent to it since its last hello: its connection has ended, which is not known yet, or so much
  /// waits for it that there is no room for more.
  var isOutOfReach = false
  /// Of the latest credit that it was told to count.
  var acknowledgedCredit: UInt64 = 0
  /// Whether it was told last that something waits for it, and when.
  var toldWaiting = false
  var toldAt = Instant(milliseconds: -1_000_000_000)

  var takesJobs: Bool { hello.state == .serving && connection == .up && !isOutOfReach }

  /// Its slots for jobs of this coordinator. At least one, by which loads are divided.
  var slots: Int { min(max(1, hello.credit.slots ?? hello.concurrency), hello.concurrency) }

  /// The word of the status.
  var state: String { connection == .up ? hello.state.description : "disconnected" }

  /// Why it takes no jobs, or fewer than it could; empty where all is well.
  var reason: String { hello.reason }
}
