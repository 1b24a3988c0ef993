internal import JobStorage
internal import PipelineModel

/// A job as it is looked at among many: enough to tell whether it is meant.
struct Glimpse {
  let serial: Int64
  let state: JobState
  let phaseKey: Int
  /// Bytes of instructions.
  let size: Int
  let hasError: Bool
  /// Of a job that is given out: before it was.
  let storedUpdatedAt: Timestamp

  /// Nil where the row is none of ours.
  init?(_ row: Statement) {
    guard let state = UInt8(exactly: row.int64(2)).flatMap(JobState.init(rawValue:)) else { return nil }
    serial = row.int64(0)
    self.state = row.int64(6) == 1 ? .running : state
    phaseKey = row.int(3)
    size = row.int(4, in: JobHead.sizes)
    hasError = row.int64(5) != 0
    storedUpdatedAt = row.moment(7)
  }
}

/// A part of the jobs in the order they were enqueued, and the way through it.
struct Stretch {
  enum Order {
    case newestFirst, oldestFirst
  }

  let order: Order
  /// Neither end belongs to it.
  var after: Int64 = .min
  var before: Int64 = .max
  /// How many jobs are looked at.
  let limit: Int

  func contains(_ serial: Int64) -> Bool { serial > after && serial < before }
}
