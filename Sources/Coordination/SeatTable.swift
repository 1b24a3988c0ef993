internal import PipelineModel
internal import WireProtocol

/// The workers as "who gets the next job" sees them: a few numbers each, side by side in memory, since that is asked for
/// every job and looks at every worker of a phase.
struct SeatTable {
  /// A seat while one worker has it.
  struct Place: Hashable {
    let number: Int
    /// Tells it from what others, or the same worker, had before on that seat.
    let stay: Int
  }

  struct Seat {
    let worker: WorkerID
    let stay: Int
    var slots: Int
    /// Jobs that may be there at a time; what it said last.
    var credit = 0
    /// What it holds, and how much it is promised.
    var flights: Set<LeaseToken> = []
    var promised = 0
    /// Jobs ever given to it; spreads work evenly among equally loaded workers.
    var given = 0
    var takesJobs = true
    /// It runs one suspect and nothing else, or is being emptied for one.
    var alone: Alone?

    var load: Int { flights.count + promised }

    /// How many more may be given to it.
    var freePlaces: Int { takesJobs && alone == nil ? max(0, credit - load) : 0 }

    /// It would begin another one at once.
    var isIdle: Bool { freePlaces > 0 && load < slots }

    enum Alone: Equatable {
      case reserved(phase: Int)
      case running(LeaseToken)
    }
  }

  private var seats: [Seat] = []
  private var vacant: [Int] = []
  private var stays = 0
  private var ofPhase: [[Int]]

  init(phases: Int) { ofPhase = Array(repeating: [], count: phases) }

  mutating func take(_ worker: WorkerID, slots: Int, phases: [Int]) -> Place {
    let number = vacant.popLast() ?? seats.count
    stays += 1
    let seat = Seat(worker: worker, stay: stays, slots: slots)
    if number == seats.count { seats.append(seat) } else { seats[number] = seat }
    for phase in phases { ofPhase[phase].append(number) }
    return Place(number: number, stay: stays)
  }

  /// - Returns: the seat as it was left.
  mutating func leave(_ place: Place, phases: [Int]) -> Seat {
    for phase in phases { ofPhase[phase].removeAll { $0 == place.number } }
    vacant.append(place.number)
    let seat = seats[place.number]
    // Nobody has this stay: what still names it finds no seat.
    seats[place.number] = Seat(worker: seat.worker, stay: -1, slots: 0)
    return seat
  }

  /// Of a place that `isTaken`.
  subscript(place: Place) -> Seat {
    get { seats[place.number] }
    _modify { yield &seats[place.number] }
  }

  func isTaken(_ place: Place) -> Bool { seats[place.number].stay == place.stay }

  /// Of those with a free place the one with the least load for its slots, among equals the one given the fewest.
  func leastLoaded(in phase: Int) -> Place? {
    var best: Int?
    for number in ofPhase[phase] where seats[number].freePlaces > 0 {
      guard let former = best else {
        best = number
        continue
      }
      // Loads are compared as fractions of the slots: a/b < c/d where a·d < c·b.
      let (one, other) = (seats[number].load * seats[former].slots, seats[former].load * seats[number].slots)
      if one < other || (one == other && seats[number].given < seats[former].given) { best = number }
    }
    return best.map { Place(number: $0, stay: seats[$0].stay) }
  }

  func places(of phase: Int) -> [Place] { ofPhase[phase].map { Place(number: $0, stay: seats[$0].stay) } }

  func hasIdle(in phase: Int) -> Bool { ofPhase[phase].contains { seats[$0].isIdle } }
}
