internal import DequeModule
internal import PipelineModel

/// A job as it stood somewhere when `number` was its place.
struct QueuedPlace {
  let job: MemoryJob
  let number: UInt64

  init(_ job: MemoryJob) {
    self.job = job
    number = job.place
  }

  var isCurrent: Bool { job.place == number }
}

/// A line of jobs that can be left from anywhere at no cost: places that were left are skipped when they come up, and
/// swept once they are the majority, so that a line nobody claims from does not grow for ever.
struct TombstoneQueue {
  private var line = Deque<QueuedPlace>()
  private var tombstones = 0

  mutating func append(_ job: MemoryJob) { line.append(QueuedPlace(job)) }

  mutating func prepend(_ job: MemoryJob) { line.prepend(QueuedPlace(job)) }

  mutating func first() -> MemoryJob? {
    while let place = line.first {
      if place.isCurrent { return place.job }
      line.removeFirst()
      tombstones -= 1
    }
    return nil
  }

  mutating func popFirst() -> MemoryJob? {
    guard let job = first() else { return nil }
    line.removeFirst()
    return job
  }

  /// Call after the job's place has changed.
  mutating func noteTombstone() {
    tombstones += 1
    guard tombstones > 64, tombstones > line.count / 2 else { return }
    line.removeAll { !$0.isCurrent }
    tombstones = 0
  }
}
