internal import PipelineModel

/// The queue of one phase: a line for each priority.
struct MemoryQueue {
  private var lines = Array(repeating: TombstoneQueue(), count: NewJob.priorities.count)
  /// Bit n: `lines[n]` may hold somebody; finds the highest one without looking at all of them.
  private var occupied: UInt16 = 0

  mutating func append(_ job: MemoryJob) {
    let line = lineIndex(job)
    lines[line].append(job)
    occupied |= 1 << UInt16(line)
  }

  mutating func prepend(_ job: MemoryJob) {
    let line = lineIndex(job)
    lines[line].prepend(job)
    occupied |= 1 << UInt16(line)
  }

  mutating func popFirst() -> MemoryJob? {
    while occupied != 0 {
      let line = UInt16.bitWidth - 1 - occupied.leadingZeroBitCount
      if let job = lines[line].popFirst() { return job }
      occupied &= ~(1 << UInt16(line))
    }
    return nil
  }

  /// Call after the job's place has changed.
  mutating func noteTombstone(_ job: MemoryJob) { lines[lineIndex(job)].noteTombstone() }

  private func lineIndex(_ job: MemoryJob) -> Int { job.priority - NewJob.priorities.lowerBound }
}
