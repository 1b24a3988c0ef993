internal import DequeModule
internal import PipelineModel

/// A job as it stood somewhere when `number` was its place.
struct MemoryPlace {
  let job: MemoryJob
  let number: UInt64

  init(_ job: MemoryJob) {
    self.job = job
    number = job.place
  }

  var isTaken: Bool { job.place == number }
}

/// A line of jobs that can be left from anywhere at no cost: places that were left are skipped when they come up, and
/// swept once they are the majority, so that a line nobody claims from does not grow for ever.
struct MemoryPlaces {
  private var line = Deque<MemoryPlace>()
  private var left = 0

  mutating func append(_ job: MemoryJob) { line.append(MemoryPlace(job)) }

  mutating func prepend(_ job: MemoryJob) { line.prepend(MemoryPlace(job)) }

  mutating func first() -> MemoryJob? {
    while let place = line.first {
      if place.isTaken { return place.job }
      line.removeFirst()
      left -= 1
    }
    return nil
  }

  mutating func popFirst() -> MemoryJob? {
    guard let job = first() else { return nil }
    line.removeFirst()
    return job
  }

  /// Call after the job's place has changed.
  mutating func noteLeft() {
    left += 1
    guard left > 64, left > line.count / 2 else { return }
    line.removeAll { !$0.isTaken }
    left = 0
  }
}
