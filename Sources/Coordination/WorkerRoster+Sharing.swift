internal import PipelineModel
internal import WireProtocol

/// Who gets what.
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
    let together = together(of: phase)
    var shares: [Share] = []
    var left = wanted
    while left > 0, let place = seats.leastLoaded(in: phase) {
      let count = min(left, together, seats[place].freePlaces)
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
    if let place = flight.place, seats.isTaken(place) {
      seats[place].flights.remove(token)
      if seats[place].alone == .running(token) { seats[place].alone = nil }
    }
    return flight
  }

  /// Jobs that a worker was given and has not reported.
  func held(by worker: WorkerEntry) -> Int { seats[worker.place].flights.count }

  mutating func mark(_ token: LeaseToken, _ stage: Flight.Stage) { flights[token]?.stage = stage }

  mutating func noteDuration(microseconds: Int64, phase: Int) {
    // A worker's own measure: whatever it says must not turn the mean into nonsense.
    let sample = Double(min(max(0, microseconds), 86_400_000_000))
    meanDuration[phase] = meanDuration[phase].map { $0 * 0.9 + sample * 0.1 } ?? sample
  }
}
