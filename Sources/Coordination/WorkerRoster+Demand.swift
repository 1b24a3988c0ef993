internal import PipelineModel
internal import WireProtocol

/// What workers are told of the work that waits for them.
extension WorkerRoster {
  /// Told no more often than this of work that comes and goes, in milliseconds.
  private static var demandInterval: Int64 { 20 }

  /// Heartbeats that are due, credits that take effect, and for workers that several coordinators share what begins or
  /// ceases to wait.
  /// - Parameter waiting: jobs of each phase that could be given out now, had somebody a slot for them.
  mutating func demands(waiting: [Int], now: Instant) -> [Demand] {
    var demands: [Demand] = []
    owesCredits = false
    for (id, entry) in workers where entry.connection == .up {
      let count = entry.phases.reduce(0) { $0 + waiting[$1] }
      let isCreditNew = entry.acknowledgedCredit != entry.hello.credit.number
      let isCreditDue = isCreditNew && keepsToCredit(entry)
      if isCreditNew, !isCreditDue { owesCredits = true }
      guard isCreditDue || isDue(entry, hasWaiting: count > 0, now: now) else { continue }
      if isCreditDue { workers[id]?.acknowledgedCredit = entry.hello.credit.number }
      workers[id]?.toldWaiting = count > 0
      workers[id]?.toldAt = now
      demands.append(Demand(worker: id, waiting: count, credit: workers[id]?.acknowledgedCredit ?? 0))
    }
    return demands
  }

  /// Only workers that are shared need to hear something before the next heartbeat.
  var hasShared: Bool { workers.values.contains { $0.hello.isShared } }

  private func isDue(_ entry: WorkerEntry, hasWaiting: Bool, now: Instant) -> Bool {
    let age = now - entry.toldAt
    guard entry.hello.isShared else { return age >= patience.heartbeat }
    return age >= patience.sharedHeartbeat || hasWaiting != entry.toldWaiting && age >= Self.demandInterval
  }

  /// Nothing is on its way to the worker's seat that was promised under a larger credit.
  private func keepsToCredit(_ entry: WorkerEntry) -> Bool {
    let seat = seats[entry.place]
    return seat.promised == 0 || seat.load <= seat.credit
  }
}
