internal import HeapModule
internal import PipelineModel

/// Delayed jobs by due time. Like `TombstoneQueue`, left at no cost and swept when most have left.
struct MemoryDelays {
  private struct Entry: Comparable {
    let due: Timestamp
    let place: QueuedPlace

    static func == (left: Entry, right: Entry) -> Bool {
      left.due == right.due && left.place.job.serial == right.place.job.serial
    }

    static func < (left: Entry, right: Entry) -> Bool {
      (left.due, left.place.job.serial) < (right.due, right.place.job.serial)
    }
  }

  private var heap = Heap<Entry>()
  private var tombstones = 0

  mutating func insert(_ job: MemoryJob, due: Timestamp) { heap.insert(Entry(due: due, place: QueuedPlace(job))) }

  mutating func nextDue() -> Timestamp? {
    while let entry = heap.min {
      if entry.place.isCurrent { return entry.due }
      heap.removeMin()
      tombstones -= 1
    }
    return nil
  }

  mutating func popFirst(dueBy now: Timestamp) -> MemoryJob? {
    guard let due = nextDue(), due <= now else { return nil }
    return heap.popMin()?.place.job
  }

  /// Call after the job's place has changed.
  mutating func noteTombstone() {
    tombstones += 1
    guard tombstones > 64, tombstones > heap.count / 2 else { return }
    heap = Heap(heap.unordered.filter(\.place.isCurrent))
    tombstones = 0
  }
}
