internal import DequeModule
internal import PipelineModel

/// Jobs that have ended and of which a hook has still to hear, in the order in which they ended. Where the hook, or the
/// store that is asked for them, is slower than the jobs, the oldest are dropped. A pure value.
struct FinishedJobFeed {
  /// Ids that wait, at most.
  static let maximumWaiting = 100_000
  /// Jobs that are read from the store at a time.
  static let readAtOnce = 32

  private var waiting: Deque<JobID> = []
  private var dropped = 0
  private(set) var isReading = false

  /// Nothing waits, and nothing is being read.
  var isDone: Bool { waiting.isEmpty && !isReading }

  mutating func add(_ jobs: [JobID]) {
    waiting.append(contentsOf: jobs)
    let excess = waiting.count - Self.maximumWaiting
    guard excess > 0 else { return }
    waiting.removeFirst(excess)
    dropped += excess
  }

  /// The next jobs to be read, until `endReading`; nil where one reading is on its way, or nothing waits.
  mutating func beginReading() -> [JobID]? {
    guard !isReading, !waiting.isEmpty else { return nil }
    isReading = true
    let jobs = Array(waiting.prefix(Self.readAtOnce))
    waiting.removeFirst(jobs.count)
    return jobs
  }

  mutating func endReading() { isReading = false }

  /// How many were dropped since the last call.
  mutating func takeDropped() -> Int {
    defer { dropped = 0 }
    return dropped
  }
}
