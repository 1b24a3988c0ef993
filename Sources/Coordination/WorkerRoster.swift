internal import PipelineModel
internal import WireProtocol

/// Who is there, and who has what. A pure value: events and the time go in, what to do about them comes out; the
/// coordinator does it.
struct WorkerRoster {
  enum Action: Equatable {
    case connect(WorkerID, address: String)
    case disconnect(WorkerID)
    /// Put these leases back into their queues. `lost`: their worker went away under them.
    case release([LeaseToken], lost: Bool)
    /// Tell the worker to stop attempts that nobody waits for any more.
    case cancel(WorkerID, [LeaseToken])
    case recall(WorkerID, [LeaseToken])
    /// Its `job_type` is not one of this pipeline's.
    case foreign(WorkerID, jobType: String)
    case lost(WorkerID, reason: String)
    case arrived(WorkerID)
    /// Its address does not answer.
    case unreachable(WorkerID)
  }

  /// Times in milliseconds; docs/architecture.md, "How a lost worker is noticed".
  struct Patience {
    /// A broken connection that does not come back in this time: the process is gone. libzmq tries again each 100 ms.
    var reconnect: Int64 = 400
    /// A connection that is not made in this time is worth a warning.
    var connection: Int64 = 3_000
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
  var flights: [LeaseToken: Flight] = [:]
  /// Running attempts by phase.
  var running: [Int]
  var seats: SeatTable
  /// Flights may be there whose worker is not.
  var mayHaveOrphans = false
  /// Announced `job_type`s that are none of the pipeline's, with the worker that was told of; a bounded number.
  private var strangers: Set<WorkerID> = []
  private static let maximumStrangers = 1_000
  /// Suspects that wait for a worker of their own, by phase.
  var parked: [[LeaseToken]]
  private var byAddress: [String: WorkerID] = [:]
  /// Moving average of an attempt's duration by phase, in microseconds; nil until the first one.
  var meanDuration: [Double?]

  init(pipeline: PipelineDefinition, patience: Patience = Patience()) {
    self.pipeline = pipeline
    self.patience = patience
    running = Array(repeating: 0, count: pipeline.phases.count)
    meanDuration = Array(repeating: nil, count: pipeline.phases.count)
    seats = SeatTable(phases: pipeline.phases.count)
    parked = Array(repeating: [], count: pipeline.phases.count)
  }
}

// MARK: - Coming and going

extension WorkerRoster {
  mutating func observe(_ announcement: Announcement, now: Instant) -> [Action] {
    let id = announcement.worker
    guard workers[id]?.announcement.pullAddress == announcement.pullAddress else {
      return (workers[id] == nil ? [] : lose(id, reason: "it moved to another address", isLoss: false))
        + welcome(announcement, now: now)
    }
    workers[id]?.announcement = announcement
    workers[id]?.lastHeard = now
    updateSeat(of: id)
    return reconcile(announcement, now: now)
  }

  private mutating func welcome(_ announcement: Announcement, now: Instant) -> [Action] {
    let id = announcement.worker
    let phases = pipeline.phases(of: announcement.jobType)
    guard !phases.isEmpty else {
      guard strangers.count < Self.maximumStrangers, strangers.insert(id).inserted else { return [] }
      return [.foreign(id, jobType: announcement.jobType)]
    }
    var actions: [Action] = []
    // A port is bound by one process at a time, so whoever announced it before is gone.
    if let former = byAddress[announcement.pullAddress], former != id {
      actions += lose(former, reason: "\(id) took over its address", isLoss: true)
    }
    let place = seats.take(id, slots: announcement.concurrency, phases: phases)
    for flight in flights.values where flight.worker == id && flight.stage != .parked {
      flights[flight.token]?.place = place
      seats[place].flights.insert(flight.token)
      if flight.losses > 0 { seats[place].alone = .running(flight.token) }
    }
    workers[id] = WorkerEntry(
      announcement: announcement, phases: phases.reversed(), place: place, lastHeard: now,
      connection: .pending(since: now))
    updateSeat(of: id)
    byAddress[announcement.pullAddress] = id
    actions += [.arrived(id), .connect(id, address: announcement.pullAddress)]
    return actions + reconcile(announcement, now: now)
  }

  /// Compares what the worker says it holds with what it was given.
  private func reconcile(_ announcement: Announcement, now: Instant) -> [Action] {
    guard let entry = workers[announcement.worker] else { return [] }
    var actions: [Action] = []
    let held = Set(announcement.inFlight)
    let undelivered = seats[entry.place].flights.subtracting(held).filter { token in
      guard let flight = flights[token] else { return false }
      return flight.stage == .out && now - flight.since > patience.delivery
    }
    if !undelivered.isEmpty { actions.append(.release(undelivered.sorted(), lost: false)) }
    let unknown = held.filter { flights[$0] == nil }
    if !unknown.isEmpty { actions.append(.cancel(announcement.worker, unknown.sorted())) }
    return actions
  }

  /// The socket's monitor says that the worker's address answers.
  mutating func connected(_ worker: WorkerID) {
    workers[worker]?.connection = .up
    workers[worker]?.isKnownUnreachable = false
    updateSeat(of: worker)
  }

  /// - Parameter problem: why there is no connection yet; nil where nothing is known.
  mutating func note(_ problem: String?, of worker: WorkerID) { workers[worker]?.problem = problem }

  /// Its address leads nowhere, for now.
  mutating func cannotConnect(_ worker: WorkerID) -> [Action] {
    guard let entry = workers[worker], !entry.isKnownUnreachable else { return [] }
    workers[worker]?.isKnownUnreachable = true
    return [.unreachable(worker)]
  }

  mutating func disconnected(_ worker: WorkerID, now: Instant) {
    if workers[worker]?.connection == .up { workers[worker]?.connection = .lost(since: now) }
    updateSeat(of: worker)
  }

  private mutating func updateSeat(of worker: WorkerID) {
    guard let entry = workers[worker] else { return }
    seats[entry.place].takesJobs = entry.takesJobs
    seats[entry.place].slots = entry.announcement.concurrency
  }

  /// Forgets a worker; what it held goes back.
  /// - Parameter isLoss: it did not leave in good order, so that one of its jobs may have ended it.
  mutating func lose(_ worker: WorkerID, reason: String, isLoss: Bool) -> [Action] {
    guard let entry = workers.removeValue(forKey: worker) else { return [] }
    let seat = seats.leave(entry.place, phases: entry.phases)
    mayHaveOrphans = true
    if byAddress[entry.announcement.pullAddress] == worker { byAddress[entry.announcement.pullAddress] = nil }
    let held = seat.flights.filter { flights[$0]?.stage == .out }
    return [.lost(worker, reason: reason), .disconnect(worker)]
      + (held.isEmpty ? [] : [.release(held.sorted(), lost: isLoss)])
  }

  mutating func tick(now: Instant) -> [Action] {
    var actions: [Action] = []
    for (id, entry) in workers {
      if case .lost(let since) = entry.connection, now - since > patience.reconnect {
        actions += lose(id, reason: "its connection closed", isLoss: true)
      } else if now - entry.lastHeard > patience.silence {
        actions += lose(id, reason: "no heartbeat for \((now - entry.lastHeard) / 1000) s", isLoss: true)
      } else if case .pending(let since) = entry.connection, now - since > patience.connection {
        actions += cannotConnect(id)
      }
    }
    let orphans = orphans(now: now)
    if !orphans.isEmpty { actions.append(.release(orphans, lost: false)) }
    return actions + recalls(now: now)
  }

  private mutating func orphans(now: Instant) -> [LeaseToken] {
    guard mayHaveOrphans else { return [] }
    let orphans = flights.values.filter { workers[$0.worker] == nil && $0.stage != .parked }
    mayHaveOrphans = !orphans.isEmpty
    return orphans.filter { $0.stage == .out && now - $0.since > patience.adoption }.map(\.token).sorted()
  }

  /// The loop itself stood still for a while: silence in that time says nothing about the workers.
  mutating func forgive(now: Instant) {
    for id in workers.keys {
      workers[id]?.lastHeard = now
      if case .lost = workers[id]?.connection { workers[id]?.connection = .lost(since: now) }
    }
  }

  /// Jobs that wait behind a long one while somebody else has nothing to do.
  private mutating func recalls(now: Instant) -> [Action] {
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
