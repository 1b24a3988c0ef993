internal import DequeModule
internal import PipelineModel

/// All jobs, by id and in the order they were enqueued.
struct MemoryRegister {
  private var byID: [JobID: MemoryJob] = [:]
  private var order = Deque<MemoryJob>()
  private(set) var lastSerial: UInt64 = 0

  subscript(id: JobID) -> MemoryJob? { byID[id] }

  mutating func add(_ new: NewJob, phaseKey: Int, now: Timestamp) -> MemoryJob {
    lastSerial += 1
    let job = MemoryJob(new, serial: lastSerial, phaseKey: phaseKey, now: now)
    byID[new.id] = job
    order.append(job)
    return job
  }

  /// Leaves a gap in the order; gaps are swept when they are the majority, at a constant cost per job.
  mutating func remove(_ job: MemoryJob) {
    byID[job.id] = nil
    job.isDeleted = true
    while let first = order.first, first.isDeleted { order.removeFirst() }
    if order.count > 128, byID.count < order.count / 2 { order.removeAll(where: \.isDeleted) }
  }

  /// Jobs newer than the one of `serial`, up to the one of `upTo`.
  func oldestFirst(after serial: UInt64, atMost count: Int, upTo: UInt64) -> [MemoryJob] {
    let start = serial == .max ? order.count : firstIndex(notBefore: serial + 1)
    return Array(order[start...].lazy.filter { !$0.isDeleted }.prefix { $0.serial <= upTo }.prefix(max(0, count)))
  }

  /// Jobs older than the one of `serial`; nil: all.
  func newestFirst(before serial: UInt64?) -> some Sequence<MemoryJob> {
    let end = serial.map(firstIndex(notBefore:)) ?? order.count
    return order[..<end].lazy.reversed().filter { !$0.isDeleted }
  }

  private func firstIndex(notBefore serial: UInt64) -> Int {
    var low = 0
    var high = order.count
    while low < high {
      let middle = (low + high) / 2
      if order[middle].serial < serial { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
