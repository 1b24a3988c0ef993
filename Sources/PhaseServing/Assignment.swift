internal import HostProtocol
internal import PipelineModel
internal import WireProtocol

/// A job as the worker holds it until its report is made. An object, since it goes through several queues: as a value all of
/// it would be moved in each.
final class Assignment: Sendable {
  let order: JobOrder
  /// Of the coordinator that gave it.
  let link: Int
  /// What children know it by: coordinators do not know each other's tokens.
  let serial: UInt64
  let pipeline: String
  /// JSON text, decompressed.
  let instructions: [UInt8]

  init(order: JobOrder, link: Int, serial: UInt64, pipeline: String, instructions: [UInt8]) {
    self.order = order
    self.link = link
    self.serial = serial
    self.pipeline = pipeline
    self.instructions = instructions
  }
}

/// What all clocks show, read once for all that begins or ends in one go.
struct ClockReading {
  /// For reports.
  var timestamp: Timestamp
  /// Limits go by it.
  var instant: Instant
  /// Of the monotonic clock: durations go by it.
  var nanoseconds: UInt64

  /// What they showed when the monotonic one stood there.
  func at(_ other: UInt64) -> ClockReading {
    let milliseconds = (Int64(clamping: other) - Int64(clamping: nanoseconds)) / 1_000_000
    return ClockReading(timestamp: timestamp + milliseconds, instant: instant + milliseconds, nanoseconds: other)
  }
}

extension ClockReading {
  init(_ clocks: Clocks) {
    self.init(timestamp: clocks.timestamp(), instant: clocks.instant(), nanoseconds: monotonicNanoseconds())
  }
}

/// An assignment in a child's hands.
struct HostRun {
  let assignment: Assignment
  var begun: ClockReading
  /// Why the worker wants it to end, once it does.
  var ending: Ending?
  /// When the child is killed if it has not ended by then.
  var killAt: Instant?

  enum Ending {
    case timeout
    case cancelled
    case handBack
  }

  var serial: UInt64 { assignment.serial }
}
