internal import DequeModule
internal import PipelineModel

/// What phases made of the instructions of recent jobs, for whoever looks at one of them. In memory only, and bounded: the
/// jobs that were changed longest ago are forgotten first. The store has the instructions as they are now.
struct RecentChanges {
  struct Change {
    var phase: Int
    /// Payloads as on the wire, perhaps compressed.
    var before: [UInt8]
    var after: [UInt8]
  }

  static let bytes = 8 << 20
  static let jobs = 10_000
  /// What a change costs beside its payloads.
  static let changeBytes = 128

  private var changes: [JobID: [Change]] = [:]
  private var order: Deque<JobID> = []
  private var size = 0

  func changes(of job: JobID) -> [Change] { changes[job] ?? [] }

  mutating func add(_ change: Change, of job: JobID) {
    if changes[job] == nil { order.append(job) }
    size += cost(change)
    changes[job, default: []].append(change)
    while size > Self.bytes || order.count > Self.jobs, let forgotten = order.popFirst() {
      for change in changes.removeValue(forKey: forgotten) ?? [] { size -= cost(change) }
    }
  }

  private func cost(_ change: Change) -> Int { Self.changeBytes + change.before.count + change.after.count }
}
