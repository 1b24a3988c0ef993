internal import PipelineModel
internal import WireProtocol

/// What workers are told of the work that waits for them.
extension WorkerRoster {
  /// Told no more often than this of work that comes and goes, in milliseconds.
  private static var demandInterval: Int64 { 20 }

  /// Heartbeats that are due, credits that take effect, and for workers that several coordinators share what begins or
  /// ceases to wait.
  /// - Parameter waiting: jobs of each phase that could be given out now, had somebody a slot for them.
  /// - Parameter all: looks at every worker, for heartbeats; else at those alone that need not wait for one.
  mutating func demands(waiting: [Int], all: Bool = true, now: Instant) -> [Demand] {
    var demands: [Demand] = []
    for id in all ? Array(workers.keys) : Array(uncounted.union(shared)) {
      guard let entry = workers[id], entry.connection == .up else { continue }
      let count = entry.phases.reduce(0) { $0 + waiting[$1] }
      let isCreditDue = entry.acknowledgedCredit != entry.hello.credit.number && keepsToCredit(entry)
      guard isCreditDue || isDue(entry, hasWaiting: count > 0, now: now) else { continue }
      if isCreditDue {
        workers[id]?.acknowledgedCredit = entry.hello.credit.number
        uncounted.remove(id)
      }
      workers[id]?.toldWaiting = count > 0
      workers[id]?.toldAt = now
      demands.append(Demand(worker: id, waiting: count, credit: workers[id]?.acknowledgedCredit ?? 0))
    }
    return demands
  }

  /// Only workers that are shared need to hear something before the next heartbeat.
  var hasShared: Bool { !shared.isEmpty }

  /// Some worker's latest credit does not count yet.
  var owesCredits: Bool { !uncounted.isEmpty }

  /// After every change of what the worker says of itself.
  mutating func followDemand(of worker: WorkerID) {
    guard let entry = workers[worker] else {
      shared.remove(worker)
      uncounted.remove(worker)
      return
    }
    if entry.hello.isShared { shared.insert(worker) } else { shared.remove(worker) }
    if entry.acknowledgedCredit != entry.hello.credit.number { uncounted.insert(worker) }
  }

  private func isDue(_ entry: WorkerEntry, hasWaiting: Bool, now: Instant) -> Bool {
    let age = now - entry.toldAt
    guard entry.hello.isShared else { return age >= timeouts.heartbeat }
    return age >= timeouts.sharedHeartbeat || hasWaiting != entry.toldWaiting && age >= Self.demandInterval
  }

  /// Nothing is on its way to the worker that was promised under a larger credit.
  private func keepsToCredit(_ entry: WorkerEntry) -> Bool {
    let load = loads[entry.handle]
    return load.promised == 0 || load.load <= load.credit
  }
}
