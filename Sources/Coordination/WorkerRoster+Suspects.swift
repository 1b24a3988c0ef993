internal import PipelineModel

/// Jobs whose worker went away under them before. Whether they ended it is not known while others ran there as well, so
/// from then on each of them has a worker to itself: one that held nothing, and is given nothing until the job is settled.
///
/// At most half of a phase's workers serve suspects at a time, so that the others' work goes on. A suspect that finds no
/// idle worker has one emptied for it, so that it is not passed over for ever.
extension WorkerRoster {
  /// A claimed suspect waits here, under its lease, for a worker of its own.
  mutating func park(_ flight: Flight) {
    var flight = flight
    flight.stage = .parked
    flight.place = nil
    running[flight.phase] += 1
    flights[flight.token] = flight
    parked[flight.phase].append(flight.token)
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
  mutating func placeSuspects(now: Instant, allowance: Int? = nil, isPaused: (Int) -> Bool) -> [Flight] {
    let most = allowance ?? .max
    var placed: [Flight] = []
    for phase in pipeline.phases.indices where !parked[phase].isEmpty {
      parked[phase].removeAll { flights[$0]?.stage != .parked }
      while placed.count < most, let token = parked[phase].first, !isPaused(phase), let place = placeAlone(in: phase) {
        parked[phase].removeFirst()
        placed.append(give(token, to: place, now: now))
      }
      if parked[phase].isEmpty { cancelReservations(of: phase) }
    }
    return placed
  }

  private mutating func give(_ token: LeaseToken, to place: SeatTable.Place, now: Instant) -> Flight {
    guard var flight = flights[token] else { preconditionFailure("only what is parked is placed") }
    flight.stage = .out
    flight.place = place
    flight.worker = seats[place].worker
    flight.since = now
    flights[token] = flight
    seats[place].flights.insert(token)
    seats[place].given += 1
    seats[place].alone = .running(token)
    return flight
  }

  /// An idle worker that may be had for a suspect now. Where there is none, begins to empty one.
  private mutating func placeAlone(in phase: Int) -> SeatTable.Place? {
    let places = seats.places(of: phase)
    let reserved = places.first { seats[$0].alone == .reserved(phase: phase) }
    let available = places.filter {
      seats[$0].takesJobs && seats[$0].credit > 0 && (seats[$0].alone == nil || $0 == reserved)
    }
    let inUse = places.count { if case .running = seats[$0].alone { true } else { false } }
    guard inUse < max(1, places.count / 2) else { return nil }
    if let idle = available.first(where: { seats[$0].load == 0 }) {
      if let reserved, reserved != idle { seats[reserved].alone = nil }
      return idle
    }
    if let reserved, !seats[reserved].takesJobs { seats[reserved].alone = nil }
    if reserved.map({ seats[$0].alone == nil }) ?? true,
      let next = available.min(by: { seats[$0].load * seats[$1].slots < seats[$1].load * seats[$0].slots })
    {
      seats[next].alone = .reserved(phase: phase)
    }
    return nil
  }

  private mutating func cancelReservations(of phase: Int) {
    for place in seats.places(of: phase) where seats[place].alone == .reserved(phase: phase) {
      seats[place].alone = nil
    }
  }

  /// The worker asks whether it may begin these.
  /// - Returns: those that it may.
  mutating func begin(_ tokens: [LeaseToken], at worker: WorkerID) -> [LeaseToken] {
    tokens.filter { token in
      guard let flight = flights[token], flight.worker == worker, flight.stage == .out else { return false }
      flights[token]?.hasBegun = true
      return true
    }
  }

  /// What is parked goes back, since nobody will give it out any more.
  var parkedTokens: [LeaseToken] { parked.flatMap { $0.filter { flights[$0]?.stage == .parked } } }
}
