internal import PipelineModel
internal import WireProtocol

/// Who gets what.
extension WorkerRoster {
  /// One claim's worth of work for one worker.
  struct Share: Equatable {
    var worker: WorkerID
    var handle: LoadTable.Handle
    var phase: Int
    var limit: Int
  }

  /// Shares out up to `queued[phase]` jobs of each phase: free slots before prefetch, the least loaded worker first,
  /// among equals the one that was given the fewest so far. Slots are reserved until `claimed` answers.
  ///
  /// - Parameters:
  ///   - allowance: how many may be given out in all; nil: no limit.
  ///   - isPaused: true for phases nobody may claim from.
  mutating func share(queued: [Int], allowance: Int?, isPaused: (Int) -> Bool) -> [Share] {
    var left = allowance ?? .max
    var shares: [Share] = []
    for phase in pipeline.phases.indices.reversed() where queued[phase] > 0 && left > 0 && !isPaused(phase) {
      let limit = pipeline.phases[phase].concurrencyLimit
      let wanted = min(queued[phase], left, limit > 0 ? max(0, limit - running[phase]) : .max)
      let given = share(phase: phase, wanted: wanted)
      left -= given.reduce(0) { $0 + $1.limit }
      shares += given
    }
    return shares
  }

  private mutating func share(phase: Int, wanted: Int) -> [Share] {
    let together = together(of: phase)
    var shares: [Share] = []
    var left = wanted
    while left > 0, let handle = loads.leastLoaded(in: phase) {
      let count = min(left, together, loads[handle].freePlaces)
      promise(count, to: handle)
      left -= count
      if let index = shares.firstIndex(where: { $0.handle == handle }) {
        shares[index].limit += count
      } else {
        shares.append(Share(worker: loads[handle].worker, handle: handle, phase: phase, limit: count))
      }
    }
    running[phase] += wanted - left
    return shares
  }

  private mutating func promise(_ count: Int, to handle: LoadTable.Handle) {
    loads[handle].promised += count
    loads[handle].given += count
  }

  private func together(of phase: Int) -> Int {
    guard let mean = meanDuration[phase] else { return 1 }
    return max(1, Int(timeouts.togetherMicroseconds / max(mean, 1)))
  }

  /// Frees what `share` reserved; `add` then takes what was really claimed.
  mutating func claimed(_ share: Share) {
    running[share.phase] -= share.limit
    if loads.isCurrent(share.handle) { promise(-share.limit, to: share.handle) }
  }

  mutating func add(_ lease: Lease) {
    var lease = lease
    running[lease.phase] += 1
    if lease.handle.map(loads.isCurrent) != true { lease.handle = workers[lease.worker]?.handle }
    if let handle = lease.handle {
      loads[handle].leases.insert(lease.token)
      loads[handle].given += 1
    } else {
      mayHaveOrphans = true
    }
    leases[lease.token] = lease
  }

  /// The attempt is over, as far as the store is concerned.
  @discardableResult
  mutating func forgetLease(_ token: LeaseToken) -> Lease? {
    guard let lease = leases.removeValue(forKey: token) else { return nil }
    running[lease.phase] -= 1
    if let handle = lease.handle, loads.isCurrent(handle) {
      loads[handle].leases.remove(token)
      if loads[handle].alone == .running(token) { loads[handle].alone = nil }
    }
    return lease
  }

  /// Jobs that a worker was given and has not reported.
  func held(by worker: WorkerEntry) -> Int { loads[worker.handle].leases.count }

  mutating func mark(_ token: LeaseToken, _ stage: Lease.Stage) { leases[token]?.stage = stage }

  mutating func noteDuration(microseconds: Int64, phase: Int) {
    // A worker's own measure: whatever it says must not turn the mean into nonsense.
    let sample = Double(min(max(0, microseconds), 86_400_000_000))
    meanDuration[phase] = meanDuration[phase].map { $0 * 0.9 + sample * 0.1 } ?? sample
  }
}
