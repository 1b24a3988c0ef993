internal import PipelineModel
internal import WireProtocol

/// Who is there, and who has what. A pure value: events and the time go in, what to do about them comes out; the
/// coordinator does it.
struct WorkerRoster {
  enum Action: Equatable {
    case welcome(WorkerID)
    /// It gets no jobs.
    case refuse(WorkerID, route: [UInt8], WorkerRefusal.Reason, String)
    /// Put these leases back into their queues. `lost`: their worker went away under them.
    case release([LeaseToken], lost: Bool)
    /// Tell the worker to stop attempts that nobody waits for any more.
    case cancel(WorkerID, [LeaseToken])
    case recall(WorkerID, [LeaseToken])
    case lost(WorkerID, reason: String)
    case arrived(WorkerID)
  }

  /// Times in milliseconds; docs/architecture.md, "How a lost worker is noticed".
  struct Timeouts {
    /// A broken connection that does not come back in this time: the process is gone. libzmq tries again each 100 ms.
    var reconnect: Int64 = 300
    /// Who was silent for so long before its connection ended was cut off, and has used up that time.
    var cutOff: Int64 = 1_100
    /// Hellos come each second.
    var silence: Int64 = 4_500
    /// Whoever was heard within this time, and is connected, keeps its id.
    var idHolder: Int64 = 5_000
    /// Workers hear from their coordinators this often.
    var heartbeat: Int64 = 500
    /// Those that several coordinators share hear more often, so that one that hangs keeps no slots.
    var sharedHeartbeat: Int64 = 400
    /// A job that its worker does not list this long after it was sent has been lost on the way.
    var delivery: Int64 = 3_000
    /// How long a coordinator that starts over waits for the holders of leases to say hello.
    var adoption: Int64 = 2_500
    /// A job that waits this long behind another one is recalled when a worker elsewhere is idle: none is to wait 250 ms there.
    var prefetch: Int64 = 150
    /// Jobs that take no longer than this together go to one worker, since spreading them over more would take longer.
    var togetherMicroseconds: Double = 500
  }

  let pipeline: PipelineDefinition
  let timeouts: Timeouts
  var workers: [WorkerID: WorkerEntry] = [:]
  var leases: [LeaseToken: Lease] = [:]
  /// Running attempts by phase.
  var running: [Int]
  var loads: LoadTable
  /// Leases may be there whose worker is not.
  var mayHaveOrphans = false
  /// Workers that serve other coordinators as well.
  var shared: Set<WorkerID> = []
  /// Workers whose latest credit they have not been told to count.
  var uncounted: Set<WorkerID> = []
  /// Suspects that wait for a worker of their own, by phase.
  var parked: [[LeaseToken]]
  /// Who speaks by a connection; several where a process serves several job types.
  private var byRoute: [[UInt8]: Set<WorkerID>] = [:]
  /// Moving average of an attempt's duration by phase, in microseconds; nil until the first one.
  var meanDuration: [Double?]

  init(pipeline: PipelineDefinition, timeouts: Timeouts = Timeouts()) {
    self.pipeline = pipeline
    self.timeouts = timeouts
    running = Array(repeating: 0, count: pipeline.phases.count)
    meanDuration = Array(repeating: nil, count: pipeline.phases.count)
    loads = LoadTable(phases: pipeline.phases.count)
    parked = Array(repeating: [], count: pipeline.phases.count)
  }
}

// MARK: - Coming and going

extension WorkerRoster {
  /// - Parameter route: of the connection that it came by.
  mutating func observe(_ hello: Hello, from route: [UInt8], now: Instant) -> [Action] {
    let id = hello.worker
    guard let known = workers[id] else { return meet(hello, from: route, now: now) }
    guard known.hello.instance == hello.instance, known.hello.jobType == hello.jobType else {
      guard known.connection != .up || now - known.lastHeard >= timeouts.idHolder else {
        let message =
          "a worker with the id '\(id)' is there already, on \(known.hello.host) (process \(known.hello.processID)): "
          + "stop that one, or give this one another id"
        return [.refuse(id, route: route, .idTaken, message)]
      }
      return lose(id, reason: "another process has its id", isLoss: true) + meet(hello, from: route, now: now)
    }
    let isAnew = known.route != route || known.connection != .up
    if isAnew { follow(id, to: route) }
    workers[id]?.lastHeard = now
    workers[id]?.isOutOfReach = false
    let credit = known.hello.credit
    workers[id]?.hello = hello
    if hello.credit.number < credit.number { workers[id]?.hello.credit = credit }
    updateSeat(of: id)
    // One that came by another address of this coordinator tells nothing yet of what came by the former one.
    return (isAnew ? [.welcome(id)] : []) + reconcile(hello, isComplete: !isAnew, now: now)
  }

  /// A worker that connects again is known by another route.
  private mutating func follow(_ worker: WorkerID, to route: [UInt8]) {
    guard let former = workers[worker]?.route else { return }
    leaveRoute(former, worker)
    byRoute[route, default: []].insert(worker)
    workers[worker]?.route = route
    workers[worker]?.connection = .up
  }

  private mutating func leaveRoute(_ route: [UInt8], _ worker: WorkerID) {
    byRoute[route]?.remove(worker)
    if byRoute[route]?.isEmpty == true { byRoute[route] = nil }
  }

  private mutating func meet(_ hello: Hello, from route: [UInt8], now: Instant) -> [Action] {
    let id = hello.worker
    let phases = pipeline.phases(of: hello.jobType)
    guard !phases.isEmpty else {
      let message = "pipeline \(pipeline.name) has no phase '\(hello.jobType)'"
      return [.refuse(id, route: route, .noSuchPhase, message)]
    }
    let handle = loads.add(id, slots: hello.concurrency, phases: phases)
    for lease in leases.values where lease.worker == id && lease.stage != .parked {
      leases[lease.token]?.handle = handle
      loads[handle].leases.insert(lease.token)
      if lease.losses > 0 { loads[handle].alone = .running(lease.token) }
    }
    workers[id] = WorkerEntry(hello: hello, route: route, phases: phases.reversed(), handle: handle, lastHeard: now)
    byRoute[route, default: []].insert(id)
    updateSeat(of: id)
    return [.arrived(id), .welcome(id)] + reconcile(hello, isComplete: true, now: now)
  }

  /// - Returns: false where the worker is not known by that connection.
  mutating func observe(_ message: CreditMessage, from route: [UInt8]) -> Bool {
    guard let entry = workers[message.worker], entry.route == route else { return false }
    guard message.credit.number > entry.hello.credit.number else { return true }
    workers[message.worker]?.hello.credit = message.credit
    updateSeat(of: message.worker)
    return true
  }

  /// Those that `name` stands for.
  func workers(named name: String) -> [WorkerID] {
    workers.keys.filter { $0.isNamed(by: name) }.sorted { $0.text < $1.text }
  }

  /// By build, as workers name it: those of builds whose SHA-256 begins with `digits`.
  func workers(ofBuild digits: String, phase: String?) -> [String: [WorkerID]] {
    let meant = workers.values.lazy.map(\.hello).filter { hello in
      !hello.plugin.isEmpty && (hello.plugin.hasPrefix(digits) || digits.hasPrefix(hello.plugin))
        && (phase == nil || hello.jobType == phase)
    }
    return Dictionary(grouping: meant.map { ($0.plugin, $0.worker) }, by: \.0)
      .mapValues { $0.map(\.1).sorted { $0.text < $1.text } }
  }

  /// Is the worker there, and by this connection?
  func knows(_ worker: WorkerID, at route: [UInt8]) -> Bool { workers[worker]?.route == route }

  /// Compares what the worker says it holds with what it was given.
  /// - Parameter isComplete: what it does not list, it does not hold.
  private func reconcile(_ hello: Hello, isComplete: Bool, now: Instant) -> [Action] {
    guard let entry = workers[hello.worker] else { return [] }
    var actions: [Action] = []
    let held = Set(hello.inFlight)
    let undelivered = loads[entry.handle].leases.subtracting(held).filter { token in
      guard let lease = leases[token] else { return false }
      return isComplete && lease.stage == .out && now - lease.since > timeouts.delivery
    }
    if !undelivered.isEmpty { actions.append(.release(undelivered.sorted(), lost: false)) }
    let unknown = held.filter { leases[$0] == nil }
    if !unknown.isEmpty { actions.append(.cancel(hello.worker, unknown.sorted())) }
    return actions
  }

  /// Nothing more is given to the worker until it says hello again: what comes back would go to it at once, and again.
  mutating func couldNotSend(to worker: WorkerID) {
    workers[worker]?.isOutOfReach = true
    updateSeat(of: worker)
  }

  /// The connection has ended.
  mutating func ended(_ route: [UInt8], now: Instant) {
    for worker in byRoute[route] ?? [] {
      guard let entry = workers[worker], entry.connection == .up else { continue }
      let isCutOff = now - entry.lastHeard >= timeouts.cutOff
      workers[worker]?.connection = .lost(since: isCutOff ? now + -timeouts.reconnect : now)
      updateSeat(of: worker)
    }
  }

  private mutating func updateSeat(of worker: WorkerID) {
    followDemand(of: worker)
    guard let entry = workers[worker] else { return }
    loads[entry.handle].takesJobs = entry.takesJobs
    loads[entry.handle].slots = entry.slots
    loads[entry.handle].credit = entry.hello.credit.jobs
  }

  /// Forgets a worker; what it held goes back.
  /// - Parameter isLoss: it did not leave in good order, so that one of its jobs may have ended it.
  mutating func lose(_ worker: WorkerID, reason: String, isLoss: Bool) -> [Action] {
    guard let entry = workers.removeValue(forKey: worker) else { return [] }
    followDemand(of: worker)
    let load = loads.remove(entry.handle, phases: entry.phases)
    mayHaveOrphans = true
    leaveRoute(entry.route, worker)
    let held = load.leases.filter { leases[$0]?.stage == .out }
    return [.lost(worker, reason: reason)]
      + (held.isEmpty ? [] : [.release(held.sorted(), lost: isLoss)])
  }

  mutating func tick(now: Instant) -> [Action] {
    var actions: [Action] = []
    for (id, entry) in workers {
      if case .lost(let since) = entry.connection, now - since > timeouts.reconnect {
        actions += lose(id, reason: "its connection closed", isLoss: true)
      } else if now - entry.lastHeard > timeouts.silence {
        actions += lose(id, reason: "no heartbeat for \((now - entry.lastHeard) / 1000) s", isLoss: true)
      }
    }
    let orphans = orphans(now: now)
    if !orphans.isEmpty { actions.append(.release(orphans, lost: false)) }
    return actions + recalls(now: now)
  }

  private mutating func orphans(now: Instant) -> [LeaseToken] {
    guard mayHaveOrphans else { return [] }
    let orphans = leases.values.filter { workers[$0.worker] == nil && $0.stage != .parked }
    mayHaveOrphans = !orphans.isEmpty
    return orphans.filter { $0.stage == .out && now - $0.since > timeouts.adoption }.map(\.token).sorted()
  }

  /// The loop itself stood still for a while: silence in that time says nothing about the workers.
  mutating func resetHeartbeats(now: Instant) {
    for id in workers.keys {
      workers[id]?.lastHeard = now
      if case .lost = workers[id]?.connection { workers[id]?.connection = .lost(since: now) }
    }
  }

  /// Jobs that wait behind a long one while somebody else has nothing to do.
  private mutating func recalls(now: Instant) -> [Action] {
    var actions: [Action] = []
    for (id, entry) in workers where loads[entry.handle].load > entry.slots {
      guard entry.phases.contains(where: { loads.hasIdle(in: $0) }) else { continue }
      let excess = loads[entry.handle].load - entry.slots
      let waiting = loads[entry.handle].leases.sorted().suffix(excess).filter { token in
        guard let lease = leases[token] else { return false }
        return lease.stage == .out && !lease.recalled && now - lease.since > timeouts.prefetch
      }
      guard !waiting.isEmpty else { continue }
      for token in waiting { leases[token]?.recalled = true }
      actions.append(.recall(id, waiting))
    }
    return actions
  }
}
