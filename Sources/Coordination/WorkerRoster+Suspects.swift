internal import PipelineModel

/// Jobs whose worker went away under them before. Whether they ended it is not known while others ran there as well, so
/// from then on each of them has a worker to itself: one that held nothing, and is given nothing until the job is settled.
///
/// At most half of a phase's workers serve suspects at a time, so that the others' work goes on. A suspect that finds no
/// idle worker has one emptied for it, so that it is not passed over for ever.
extension WorkerRoster {
  /// A claimed suspect waits here, under its lease, for a worker of its own.
  mutating func park(_ lease: Lease) {
    var lease = lease
    lease.stage = .parked
    lease.handle = nil
    running[lease.phase] += 1
    leases[lease.token] = lease
    parked[lease.phase].append(lease.token)
  }

  var hasParked: Bool { parked.contains { !$0.isEmpty } }

  /// Attempts that workers have or are promised, over all phases. What is parked keeps nobody else from a worker, however
  /// long its own takes to come.
  var attemptsOut: Int { running.reduce(0, +) - (hasParked ? parkedTokens.count : 0) }

  /// Finds workers for suspects that wait.
  /// - Parameters:
  ///   - allowance: how many may go out; nil: no limit.
  ///   - isPaused: true for phases that give nothing out.
  /// - Returns: those that go out now, each with its worker.
  mutating func placeSuspects(now: Instant, allowance: Int? = nil, isPaused: (Int) -> Bool) -> [Lease] {
    let most = allowance ?? .max
    var placed: [Lease] = []
    for phase in pipeline.phases.indices where !parked[phase].isEmpty {
      parked[phase].removeAll { leases[$0]?.stage != .parked }
      while placed.count < most, let token = parked[phase].first, !isPaused(phase), let handle = placeAlone(in: phase) {
        parked[phase].removeFirst()
        placed.append(give(token, to: handle, now: now))
      }
      if parked[phase].isEmpty { cancelReservations(of: phase) }
    }
    return placed
  }

  private mutating func give(_ token: LeaseToken, to handle: LoadTable.Handle, now: Instant) -> Lease {
    guard var lease = leases[token] else { preconditionFailure("only what is parked is placed") }
    lease.stage = .out
    lease.handle = handle
    lease.worker = loads[handle].worker
    lease.since = now
    leases[token] = lease
    loads[handle].leases.insert(token)
    loads[handle].given += 1
    loads[handle].alone = .running(token)
    return lease
  }

  /// An idle worker that may be had for a suspect now. Where there is none, begins to empty one.
  private mutating func placeAlone(in phase: Int) -> LoadTable.Handle? {
    let handles = loads.handles(of: phase)
    let reserved = handles.first { loads[$0].alone == .reserved(phase: phase) }
    let available = handles.filter {
      loads[$0].takesJobs && loads[$0].credit > 0 && (loads[$0].alone == nil || $0 == reserved)
    }
    let inUse = handles.count { if case .running = loads[$0].alone { true } else { false } }
    guard inUse < max(1, handles.count / 2) else { return nil }
    if let idle = available.first(where: { loads[$0].load == 0 }) {
      if let reserved, reserved != idle { loads[reserved].alone = nil }
      return idle
    }
    if let reserved, !loads[reserved].takesJobs { loads[reserved].alone = nil }
    if reserved.map({ loads[$0].alone == nil }) ?? true,
      let next = available.min(by: { loads[$0].load * loads[$1].slots < loads[$1].load * loads[$0].slots })
    {
      loads[next].alone = .reserved(phase: phase)
    }
    return nil
  }

  private mutating func cancelReservations(of phase: Int) {
    for handle in loads.handles(of: phase) where loads[handle].alone == .reserved(phase: phase) {
      loads[handle].alone = nil
    }
  }

  /// The worker asks whether it may begin these.
  /// - Returns: those that it may.
  mutating func begin(_ tokens: [LeaseToken], at worker: WorkerID) -> [LeaseToken] {
    tokens.filter { token in
      guard let lease = leases[token], lease.worker == worker, lease.stage == .out else { return false }
      leases[token]?.hasBegun = true
      return true
    }
  }

  /// What is parked goes back, since nobody will give it out any more.
  var parkedTokens: [LeaseToken] { parked.flatMap { $0.filter { leases[$0]?.stage == .parked } } }
}
