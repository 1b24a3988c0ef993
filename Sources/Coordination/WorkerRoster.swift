internal import PipelineModel
internal import WireProtocol

/// Who is there, and who has what. A pure value: events and the time go in, what to do about them comes out; the
/// coordinator does it.
struct WorkerRoster {
  enum Action: Equatable {
    case connect(WorkerID, address: String)
    case disconnect(WorkerID)
    /// Put these leases back into their queues.
    case release([LeaseToken])
    /// Tell the worker to stop attempts that nobody waits for any more.
    case cancel(WorkerID, [LeaseToken])
    case recall(WorkerID, [LeaseToken])
    /// Its `job_type` is not one of this pipeline's.
    case foreign(WorkerID, jobType: String)
    case lost(WorkerID, reason: String)
    case arrived(WorkerID)
  }

  /// Times in milliseconds; docs/architecture.md, "How a lost worker is noticed".
  struct Patience {
    /// A broken connection that does not come back in this time: the process is gone. libzmq tries again each 100 ms.
    var reconnect: Int64 = 400
    /// Announcements come each second.
    var silence: Int64 = 4_500
    /// A job that its worker does not list this long after it was sent has been lost on the way.
    var delivery: Int64 = 3_000
    /// How long a coordinator that starts over waits for the holders of leases to announce themselves.
    var adoption: Int64 = 2_500
    /// A job that waits this long behind another one is recalled when a worker elsewhere is idle.
    var prefetch: Int64 = 250
    /// How much work may wait at a worker, per slot. Phases whose attempts take longer on average are not prefetched.
    var prefetchMicroseconds: Double = 20_000
    /// Jobs that may wait at a worker, per slot, however short they are.
    var prefetchLimit = 63
  }

  let pipeline: PipelineDefinition
  let patience: Patience
  private(set) var workers: [WorkerID: WorkerEntry] = [:]
  private(set) var flights: [LeaseToken: Flight] = [:]
  /// Running attempts by phase.
  private(set) var running: [Int]
  private var strangers: Set<WorkerID> = []
  private var byAddress: [String: WorkerID] = [:]
  /// Moving average of an attempt's duration by phase, in microseconds; nil until the first one.
  private var meanDuration: [Double?]

  init(pipeline: PipelineDefinition, patience: Patience = Patience()) {
    self.pipeline = pipeline
    self.patience = patience
    running = Array(repeating: 0, count: pipeline.phases.count)
    meanDuration = Array(repeating: nil, count: pipeline.phases.count)
  }
}

// MARK: - Coming and going

extension WorkerRoster {
  mutating func observe(_ announcement: Announcement, now: Timestamp) -> [Action] {
    let id = announcement.worker
    guard workers[id]?.announcement.pullAddress == announcement.pullAddress else {
      return (workers[id] == nil ? [] : lose(id, reason: "it moved to another address"))
        + welcome(announcement, now: now)
    }
    workers[id]?.announcement = announcement
    workers[id]?.lastHeard = now
    return reconcile(announcement, now: now)
  }

  private mutating func welcome(_ announcement: Announcement, now: Timestamp) -> [Action] {
    let id = announcement.worker
    let phases = pipeline.phases(of: announcement.jobType)
    guard !phases.isEmpty else {
      return strangers.insert(id).inserted ? [.foreign(id, jobType: announcement.jobType)] : []
    }
    var actions: [Action] = []
    // A port is bound by one process at a time, so whoever announced it before is gone.
    if let former = byAddress[announcement.pullAddress], former != id {
      actions += lose(former, reason: "\(id) took over its address")
    }
    var entry = WorkerEntry(announcement: announcement, phases: phases.reversed(), lastHeard: now)
    for flight in flights.values where flight.worker == id { entry.flights.insert(flight.token) }
    workers[id] = entry
    byAddress[announcement.pullAddress] = id
    actions += [.arrived(id), .connect(id, address: announcement.pullAddress)]
    return actions + reconcile(announcement, now: now)
  }

  /// Compares what the worker says it holds with what it was given.
  private func reconcile(_ announcement: Announcement, now: Timestamp) -> [Action] {
    guard let entry = workers[announcement.worker] else { return [] }
    var actions: [Action] = []
    let held = Set(announcement.inFlight)
    let undelivered = entry.flights.subtracting(held).filter { token in
      guard let flight = flights[token] else { return false }
      return flight.stage == .out && now - flight.since > patience.delivery
    }
    if !undelivered.isEmpty { actions.append(.release(undelivered.sorted())) }
    let unknown = held.filter { flights[$0] == nil }
    if !unknown.isEmpty { actions.append(.cancel(announcement.worker, unknown.sorted())) }
    return actions
  }

  mutating func connected(_ worker: WorkerID) { workers[worker]?.disconnectedAt = nil }

  mutating func disconnected(_ worker: WorkerID, now: Timestamp) {
    if workers[worker]?.disconnectedAt == nil { workers[worker]?.disconnectedAt = now }
  }

  /// Forgets a worker; what it held goes back.
  mutating func lose(_ worker: WorkerID, reason: String) -> [Action] {
    guard let entry = workers.removeValue(forKey: worker) else { return [] }
    if byAddress[entry.announcement.pullAddress] == worker { byAddress[entry.announcement.pullAddress] = nil }
    let held = entry.flights.filter { flights[$0]?.stage == .out }
    return [.lost(worker, reason: reason), .disconnect(worker)] + (held.isEmpty ? [] : [.release(held.sorted())])
  }

  mutating func tick(now: Timestamp) -> [Action] {
    var actions: [Action] = []
    for (id, entry) in workers {
      if let since = entry.disconnectedAt, now - since > patience.reconnect {
        actions += lose(id, reason: "its connection closed")
      } else if now - entry.lastHeard > patience.silence {
        actions += lose(id, reason: "no heartbeat for \((now - entry.lastHeard) / 1000) s")
      }
    }
    let orphans = flights.values.filter {
      $0.stage == .out && workers[$0.worker] == nil && now - $0.since > patience.adoption
    }
    if !orphans.isEmpty { actions.append(.release(orphans.map(\.token).sorted())) }
    return actions + recalls(now: now)
  }

  /// The loop itself stood still for a while: silence in that time says nothing about the workers.
  mutating func forgive(now: Timestamp) {
    for id in workers.keys {
      workers[id]?.lastHeard = now
      if workers[id]?.disconnectedAt != nil { workers[id]?.disconnectedAt = now }
    }
  }

  /// Jobs that wait behind a long one while somebody else has nothing to do.
  private mutating func recalls(now: Timestamp) -> [Action] {
    var actions: [Action] = []
    for (id, entry) in workers where entry.load > entry.announcement.concurrency {
      guard entry.phases.contains(where: { hasIdleWorker(for: $0) }) else { continue }
      let excess = entry.load - entry.announcement.concurrency
      let waiting = entry.flights.sorted().suffix(excess).filter { token in
        guard let flight = flights[token] else { return false }
        return flight.stage == .out && !flight.recalled && now - flight.since > patience.prefetch
      }
      guard !waiting.isEmpty else { continue }
      for token in waiting { flights[token]?.recalled = true }
      actions.append(.recall(id, waiting))
    }
    return actions
  }

  private func hasIdleWorker(for phase: Int) -> Bool {
    workers.values.contains { $0.phases.contains(phase) && $0.freeSlots(depth: 1) > 0 }
  }
}

// MARK: - Who gets what

extension WorkerRoster {
  /// One claim's worth of work for one worker.
  struct Share: Equatable {
    var worker: WorkerID
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
    guard wanted > 0 else { return [] }
    let depth = depth(of: phase)
    var candidates = workers.values.filter { $0.phases.contains(phase) && $0.freeSlots(depth: depth) > 0 }
      .map {
        (
          id: $0.announcement.worker, load: $0.load, slots: $0.announcement.concurrency, room: $0.room(depth: depth),
          given: $0.dispatched
        )
      }
    guard let only = candidates.first else { return [] }
    var taken: [WorkerID: Int] = [:]
    if candidates.count == 1 { taken[only.id] = min(wanted, only.room - only.load) }
    for _ in 0..<(candidates.count == 1 ? 0 : wanted) {
      // Loads are compared as fractions of the slots: a/b < c/d where a·d < c·b.
      guard
        let best = candidates.indices.min(by: { left, right in
          let (one, other) = (candidates[left], candidates[right])
          let (loadOne, loadOther) = (one.load * other.slots, other.load * one.slots)
          return loadOne == loadOther ? one.given < other.given : loadOne < loadOther
        })
      else { break }
      candidates[best].load += 1
      candidates[best].given += 1
      taken[candidates[best].id, default: 0] += 1
      if candidates[best].load >= candidates[best].room { candidates.remove(at: best) }
    }
    return taken.map { worker, count in
      workers[worker]?.reserved += count
      running[phase] += count
      return Share(worker: worker, phase: phase, limit: count)
    }
  }

  /// Jobs per slot. A phase that is known to be quick gets as many ahead as take `prefetchMicroseconds` together, so
  /// that messages and store turns carry many jobs each; what turns out slow is recalled.
  private func depth(of phase: Int) -> Int {
    guard let mean = meanDuration[phase], mean < patience.prefetchMicroseconds else { return 1 }
    let ahead = patience.prefetchMicroseconds / max(mean, 1)
    return 1 + min(Int(ahead), patience.prefetchLimit)
  }

  /// Frees what `share` reserved; `add` then takes what was really claimed.
  mutating func claimed(_ share: Share) {
    workers[share.worker]?.reserved -= share.limit
    running[share.phase] -= share.limit
  }

  mutating func add(_ flight: Flight) {
    flights[flight.token] = flight
    running[flight.phase] += 1
    workers[flight.worker]?.flights.insert(flight.token)
    workers[flight.worker]?.dispatched += 1
  }

  /// The attempt is over, as far as the store is concerned.
  @discardableResult
  mutating func settle(_ token: LeaseToken) -> Flight? {
    guard let flight = flights.removeValue(forKey: token) else { return nil }
    running[flight.phase] -= 1
    workers[flight.worker]?.flights.remove(token)
    return flight
  }

  mutating func mark(_ token: LeaseToken, _ stage: Flight.Stage) { flights[token]?.stage = stage }

  mutating func markRenewed(_ token: LeaseToken, at now: Timestamp) { flights[token]?.renewedAt = now }

  mutating func noteDuration(microseconds: Int64, phase: Int) {
    let sample = Double(microseconds)
    meanDuration[phase] = meanDuration[phase].map { $0 * 0.9 + sample * 0.1 } ?? sample
  }

  /// Leases of workers that are there and whose end should be moved.
  func renewalsDue(now: Timestamp, every interval: Int64) -> [Flight] {
    flights.values.filter {
      $0.stage == .out && now - $0.renewedAt >= interval && workers[$0.worker] != nil
    }
  }
}
