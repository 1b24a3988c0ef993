internal import PipelineModel

/// Who waits for the end of which job. A pure value: the coordinator answers those that `take` returns.
struct AwaitedJobs {
  /// Somebody to be answered, once.
  struct Waiter: Equatable {
    var route: [UInt8]
    var request: UInt64
  }

  /// A bound on what clients that vanish leave behind.
  static let maximumWaiters = 10_000

  private var waiters: [JobID: [Waiter]] = [:]
  private var count = 0
  /// Jobs that may have ended already, or may never have been there: the store knows, once it has had the turn of this
  /// number, which may bring the job.
  private var unsure: [JobID: Int] = [:]

  var isEmpty: Bool { count == 0 }

  /// Whoever waits for the same job on the same route already is replaced: a client asks again when it is unsure.
  /// - Parameter turn: the number of the turn that is being gathered.
  /// - Returns: false where too many wait.
  mutating func add(_ waiter: Waiter, for job: JobID, turn: Int) -> Bool {
    let before = waiters[job]?.count ?? 0
    waiters[job]?.removeAll { $0.route == waiter.route }
    count -= before - (waiters[job]?.count ?? 0)
    guard count < Self.maximumWaiters else { return false }
    waiters[job, default: []].append(waiter)
    count += 1
    unsure[job] = turn
    return true
  }

  /// Whoever waits for this job, which has ended.
  mutating func take(_ job: JobID) -> [Waiter] {
    guard count > 0, let found = waiters.removeValue(forKey: job) else { return [] }
    count -= found.count
    unsure[job] = nil
    return found
  }

  mutating func takeAll() -> [Waiter] {
    defer { self = AwaitedJobs() }
    return waiters.values.flatMap { $0 }
  }

  /// Has the store asked about this job, if somebody waits for it.
  mutating func look(for job: JobID) {
    if waiters[job] != nil { unsure[job] = 0 }
  }

  /// Jobs to ask the store about.
  /// - Parameter turn: turns before this one have been given to the store.
  mutating func takeUnsure(before turn: Int, limit: Int) -> [JobID] {
    let jobs = unsure.lazy.filter { $0.value < turn }.prefix(limit).map(\.key)
    for job in jobs { unsure[job] = nil }
    return Array(jobs)
  }
}
