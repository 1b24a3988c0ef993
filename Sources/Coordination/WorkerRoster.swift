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
    /// Jobs that take no longer than this together go to one worker, since spreading them over more would take longer.
    var togetherMicroseconds: Double = 500
  }

  let pipeline: PipelineDefinition
  let patience: Patience
  private(set) var workers: [WorkerID: WorkerEntry] = [:]
  private(set) var flights: [LeaseToken: Flight] = [:]
  /// Running attempts by phase.
  private(set) var running: [Int]
  private var seats: SeatTable
  /// Flights may be there whose worker is not.
  private var mayHaveOrphans = false
  private var strangers: Set<WorkerID> = []
  private var byAddress: [String: WorkerID] = [:]
  /// Moving average of an attempt's duration by phase, in microseconds; nil until the first one.
  private var meanDuration: [Double?]

  init(pipeline: PipelineDefinition, patience: Patience = Patience()) {
    self.pipeline = pipeline
    self.patience = patience
    running = Array(repeating: 0, count: pipeline.phases.count)
    meanDuration = Array(repeating: nil, count: pipeline.phases.count)
    seats = SeatTable(phases: pipeline.phases.count)
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
    updateSeat(of: id)
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
    let place = seats.take(id, slots: announcement.concurrency, phases: phases)
    for flight in flights.values where flight.worker == id {
      flights[flight.token]?.place = place
      seats[place].flights.insert(flight.token)
    }
    workers[id] = WorkerEntry(announcement: announcement, phases: phases.reversed(), place: place, lastHeard: now)
    updateSeat(of: id)
    byAddress[announcement.pullAddress] = id
    actions += [.arrived(id), .connect(id, address: announcement.pullAddress)]
    return actions + reconcile(announcement, now: now)
  }

  /// Compares what the worker says it holds with what it was given.
  private func reconcile(_ announcement: Announcement, now: Timestamp) -> [Action] {
    guard let entry = workers[announcement.worker] else { return [] }
    var actions: [Action] = []
    let held = Set(announcement.inFlight)
    let undelivered = seats[entry.place].flights.subtracting(held).filter { token in
      guard let flight = flights[token] else { return false }
      return flight.stage == .out && now - flight.since > patience.delivery
    }
    if !undelivered.isEmpty { actions.append(.release(undelivered.sorted())) }
    let unknown = held.filter { flights[$0] == nil }
    if !unknown.isEmpty { actions.append(.cancel(announcement.worker, unknown.sorted())) }
    return actions
  }

  mutating func connected(_ worker: WorkerID) {
    workers[worker]?.disconnectedAt = nil
    updateSeat(of: worker)
  }

  mutating func disconnected(_ worker: WorkerID, now: Timestamp) {
    if workers[worker]?.disconnectedAt == nil { workers[worker]?.disconnectedAt = now }
    updateSeat(of: worker)
  }

  private mutating func updateSeat(of worker: WorkerID) {
    guard let entry = workers[worker] else { return }
    seats[entry.place].takesJobs = entry.takesJobs
    seats[entry.place].slots = entry.announcement.concurrency
  }

  /// Forgets a worker; what it held goes back.
  mutating func lose(_ worker: WorkerID, reason: String) -> [Action] {
    guard let entry = workers.removeValue(forKey: worker) else { return [] }
    let seat = seats.leave(entry.place, phases: entry.phases)
    mayHaveOrphans = true
    if byAddress[entry.announcement.pullAddress] == worker { byAddress[entry.announcement.pullAddress] = nil }
    let held = seat.flights.filter { flights[$0]?.stage == .out }
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
    let orphans = orphans(now: now)
    if !orphans.isEmpty { actions.append(.release(orphans)) }
    return actions + recalls(now: now)
  }

  private mutating func orphans(now: Timestamp) -> [LeaseToken] {
    guard mayHaveOrphans else { return [] }
    let orphans = flights.values.filter { workers[$0.worker] == nil }
    mayHaveOrphans = !orphans.isEmpty
    return orphans.filter { $0.stage == .out && now - $0.since > patience.adoption }.map(\.token).sorted()
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
    for (id, entry) in workers where seats[entry.place].load > entry.announcement.concurrency {
      guard entry.phases.contains(where: { seats.hasIdle(in: $0) }) else { continue }
      let excess = seats[entry.place].load - entry.announcement.concurrency
      let waiting = seats[entry.place].flights.sorted().suffix(excess).filter { token in
        guard let flight = flights[token] else { return false }
        return flight.stage == .out && !flight.recalled && now - flight.since > patience.prefetch
      }
      guard !waiting.isEmpty else { continue }
      for token in waiting { flights[token]?.recalled = true }
      actions.append(.recall(id, waiting))
    }
    return actions
  }
}

// MARK: - Who gets what

extension WorkerRoster {
  /// One claim's worth of work for one worker.
  struct Share: Equatable {
    var worker: WorkerID
    var place: SeatTable.Place
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
    let (depth, together) = (depth(of: phase), together(of: phase))
    var shares: [Share] = []
    var left = wanted
    while left > 0, let place = seats.leastLoaded(in: phase, depth: depth) {
      let count = min(left, together, seats[place].freePlaces(depth: depth))
      promise(count, to: place)
      left -= count
      if let index = shares.firstIndex(where: { $0.place == place }) {
        shares[index].limit += count
      } else {
        shares.append(Share(worker: seats[place].worker, place: place, phase: phase, limit: count))
      }
    }
    running[phase] += wanted - left
    return shares
  }

  private mutating func promise(_ count: Int, to place: SeatTable.Place) {
    seats[place].promised += count
    seats[place].given += count
  }

  /// Jobs per slot. A phase that is known to be quick gets as many ahead as take `prefetchMicroseconds` together, so
  /// that messages and store turns carry many jobs each; what turns out slow is recalled.
  private func depth(of phase: Int) -> Int {
    guard let mean = meanDuration[phase], mean < patience.prefetchMicroseconds else { return 1 }
    let ahead = patience.prefetchMicroseconds / max(mean, 1)
    return 1 + min(Int(ahead), patience.prefetchLimit)
  }

  private func together(of phase: Int) -> Int {
    guard let mean = meanDuration[phase] else { return 1 }
    return max(1, Int(patience.togetherMicroseconds / max(mean, 1)))
  }

  /// Frees what `share` reserved; `add` then takes what was really claimed.
  mutating func claimed(_ share: Share) {
    running[share.phase] -= share.limit
    if seats.isTaken(share.place) { promise(-share.limit, to: share.place) }
  }

  mutating func add(_ flight: Flight) {
    var flight = flight
    running[flight.phase] += 1
    if flight.place.map(seats.isTaken) != true { flight.place = workers[flight.worker]?.place }
    if let place = flight.place {
      seats[place].flights.insert(flight.token)
      seats[place].given += 1
    } else {
      mayHaveOrphans = true
    }
    flights[flight.token] = flight
  }

  /// The attempt is over, as far as the store is concerned.
  @discardableResult
  mutating func settle(_ token: LeaseToken) -> Flight? {
    guard let flight = flights.removeValue(forKey: token) else { return nil }
    running[flight.phase] -= 1
    if let place = flight.place, seats.isTaken(place) { seats[place].flights.remove(token) }
    return flight
  }

  /// Jobs that a worker was given and has not reported.
  func held(by worker: WorkerEntry) -> Int { seats[worker.place].flights.count }

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
