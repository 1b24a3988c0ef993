internal import JobStorage
internal import PipelineModel

/// Who waits for the end of which job. A pure value: the coordinator answers those that `take` returns.
struct AwaitedJobs {
  /// Bounds on what clients that vanish leave behind. A client asks again when it is unsure, so a peer's older requests for
  /// a job are dropped beyond a few; several threads of one client may wait for the same job.
  static let maximumWaiters = 10_000
  static let maximumPerPeer = 2_500
  static let maximumPerPeerAndJob = 8
  /// A waiter that has not asked again for this long has given up, in milliseconds.
  static let patience: Int64 = 60_000

  /// Jobs that the store is asked about at a time.
  static let readAtOnce = 200

  private struct Entry {
    var waiter: Requester
    var since: Instant
  }

  private var waiters: [JobID: [Entry]] = [:]
  private var ofPeer: [[UInt8]: Int] = [:]
  private var count = 0
  /// Jobs that may have ended already, or may never have been there: the store knows, once it has had the turn of this
  /// number, which may bring the job.
  private var unsure: [JobID: Int] = [:]
  private var isReading = false

  var isEmpty: Bool { count == 0 }

  /// - Parameter turn: the number of the turn that is being gathered.
  /// - Returns: false where too many wait.
  mutating func add(_ waiter: Requester, for job: JobID, turn: Int, now: Instant) -> Bool {
    dropOldest(of: waiter.route, job)
    guard count < Self.maximumWaiters, ofPeer[waiter.route, default: 0] < Self.maximumPerPeer else { return false }
    waiters[job, default: []].append(Entry(waiter: waiter, since: now))
    ofPeer[waiter.route, default: 0] += 1
    count += 1
    unsure[job] = turn
    return true
  }

  private mutating func dropOldest(of route: [UInt8], _ job: JobID) {
    guard let there = waiters[job] else { return }
    let same = there.indices.filter { there[$0].waiter.route == route }
    if same.count >= Self.maximumPerPeerAndJob { remove(job) { $0.waiter == there[same[0]].waiter } }
  }

  /// Whoever waits for this job, which has ended.
  mutating func take(_ job: JobID) -> [Requester] {
    guard count > 0, let found = waiters[job] else { return [] }
    remove(job) { _ in true }
    return found.map(\.waiter)
  }

  mutating func takeAll() -> [Requester] {
    defer { (waiters, ofPeer, count, unsure) = ([:], [:], 0, [:]) }
    return waiters.values.flatMap { $0.map(\.waiter) }
  }

  /// Nobody is there any more to hear.
  mutating func drop(_ route: [UInt8]) {
    guard ofPeer[route] != nil else { return }
    for job in waiters.keys { remove(job) { $0.waiter.route == route } }
  }

  mutating func dropExpired(now: Instant) {
    for job in waiters.keys { remove(job) { now - $0.since > Self.patience } }
  }

  private mutating func remove(_ job: JobID, where isMeant: (Entry) -> Bool) {
    guard let entries = waiters[job] else { return }
    let kept = entries.filter { !isMeant($0) }
    guard kept.count < entries.count else { return }
    for entry in entries where isMeant(entry) {
      let rest = ofPeer[entry.waiter.route, default: 1] - 1
      ofPeer[entry.waiter.route] = rest > 0 ? rest : nil
    }
    count -= entries.count - kept.count
    waiters[job] = kept.isEmpty ? nil : kept
    if kept.isEmpty { unsure[job] = nil }
  }

  /// Has the store asked about this job, if somebody waits for it.
  mutating func markUnsure(_ job: JobID) {
    if waiters[job] != nil { unsure[job] = 0 }
  }

  /// What the store said of a job whose waiters have something to hear.
  struct Found: Hashable {
    var job: JobID
    /// It has ended; else there is no such job.
    var isThere: Bool
  }

  /// Jobs to ask the store about, until `endReading`; nil where it is being asked, or there is nothing to ask.
  /// - Parameter turn: turns before this one are in the store.
  mutating func beginReading(before turn: Int) -> [JobID]? {
    guard count > 0, !isReading else { return nil }
    let jobs = takeUnsure(before: turn, limit: Self.readAtOnce)
    isReading = !jobs.isEmpty
    return isReading ? jobs : nil
  }

  /// - Parameter states: of these jobs, in their order; nil where the store did not tell, so that it is asked again.
  mutating func endReading(_ jobs: [JobID], _ states: [JobState?]?) -> [Found] {
    isReading = false
    guard let states else {
      for job in jobs { markUnsure(job) }
      return []
    }
    return zip(jobs, states).compactMap { job, state in
      state?.isFinal == false ? nil : Found(job: job, isThere: state != nil)
    }
  }

  /// - Parameter turn: turns before this one are in the store.
  mutating func takeUnsure(before turn: Int, limit: Int) -> [JobID] {
    let jobs = unsure.lazy.filter { $0.value < turn }.prefix(limit).map(\.key)
    for job in jobs { unsure[job] = nil }
    return Array(jobs)
  }
}
