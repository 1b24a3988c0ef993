internal import PipelineModel
internal import WireProtocol

/// A job as the worker holds it until its report is made.
struct Assignment {
  let order: JobOrder
  /// Of the coordinator that gave it.
  let link: Int
  /// What children know it by: coordinators do not know each other's tokens.
  let serial: UInt64
  let pipeline: String
  /// JSON text, decompressed.
  let instructions: [UInt8]
}

/// An assignment in a child's hands.
struct Run {
  let assignment: Assignment
  /// For the report; limits go by `begunAt`.
  var startedAt: Timestamp
  var begunAt: Instant
  /// Of the monotonic clock, in nanoseconds.
  var startedNanoseconds: UInt64
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
