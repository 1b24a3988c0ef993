internal import PipelineModel
internal import WireProtocol

/// The workers as "who gets the next job" sees them: a few numbers each, side by side in memory, since that is asked for
/// every job and looks at every worker of a phase.
struct SeatTable {
  struct Seat {
    let worker: WorkerID
    /// Tells this stay of the worker from an earlier one under the same name.
    let stay: Int
    var slots: Int
    /// Jobs it holds or is promised.
    var load = 0
    /// Jobs ever given to it; spreads work evenly among equally loaded workers.
    var given = 0
    var takesJobs = true

    /// Bounded, since a worker lists what it holds in every announcement.
    /// - Parameter depth: jobs per slot, the running one included; more than one so that a short job's slot never idles
    ///   for the length of a round trip.
    func room(depth: Int) -> Int { min(slots * depth, max(slots * min(depth, 2), Announcement.maximumInFlight / 2)) }

    func freePlaces(depth: Int) -> Int { takesJobs ? max(0, room(depth: depth) - load) : 0 }
  }

  private var seats: [Seat] = []
  private var vacant: [Int] = []
  private var stays = 0
  private var ofPhase: [[Int]]

  init(phases: Int) { ofPhase = Array(repeating: [], count: phases) }

  /// - Returns: the number that names the seat until it is left.
  mutating func take(_ worker: WorkerID, slots: Int, phases: [Int]) -> Int {
    let number = vacant.popLast() ?? seats.count
    stays += 1
    let seat = Seat(worker: worker, stay: stays, slots: slots)
    if number == seats.count { seats.append(seat) } else { seats[number] = seat }
    for phase in phases { ofPhase[phase].append(number) }
    return number
  }

  mutating func leave(_ number: Int, phases: [Int]) {
    for phase in phases { ofPhase[phase].removeAll { $0 == number } }
    vacant.append(number)
  }

  subscript(number: Int) -> Seat {
    get { seats[number] }
    _modify { yield &seats[number] }
  }

  /// Of those with a free place the one with the least load for its slots, among equals the one given the fewest.
  func leastLoaded(in phase: Int, depth: Int) -> Int? {
    var best: Int?
    for number in ofPhase[phase] where seats[number].freePlaces(depth: depth) > 0 {
      guard let former = best else {
        best = number
        continue
      }
      // Loads are compared as fractions of the slots: a/b < c/d where a·d < c·b.
      let (one, other) = (seats[number].load * seats[former].slots, seats[former].load * seats[number].slots)
      if one < other || (one == other && seats[number].given < seats[former].given) { best = number }
    }
    return best
  }

  func hasIdle(in phase: Int) -> Bool { ofPhase[phase].contains { seats[$0].freePlaces(depth: 1) > 0 } }
}
