internal import PipelineModel
internal import WireProtocol

/// The loads of workers as "who gets the next job" sees them: a few numbers each, side by side in memory, since that is
/// asked for every job and looks at every worker of a phase.
struct LoadTable {
  /// Names the load of one worker for as long as it is there.
  struct Handle: Hashable {
    let number: Int
    /// Tells it from the loads of others, or of the same worker, that had this number before.
    let generation: Int
  }

  struct WorkerLoad {
    let worker: WorkerID
    let generation: Int
    var slots: Int
    /// Jobs that may be there at a time; what it said last.
    var credit = 0
    /// What it holds, and how much it is promised.
    var leases: Set<LeaseToken> = []
    var promised = 0
    /// Jobs ever given to it; spreads work evenly among equally loaded workers.
    var given = 0
    var takesJobs = true
    /// It runs one suspect and nothing else, or is being emptied for one.
    var alone: Alone?

    var load: Int { leases.count + promised }

    /// How many more may be given to it.
    var freePlaces: Int { takesJobs && alone == nil ? max(0, credit - load) : 0 }

    /// It would begin another one at once.
    var isIdle: Bool { freePlaces > 0 && load < slots }

    enum Alone: Equatable {
      case reserved(phase: Int)
      case running(LeaseToken)
    }
  }

  private var loads: [WorkerLoad] = []
  private var vacant: [Int] = []
  private var generations = 0
  private var ofPhase: [[Int]]

  init(phases: Int) { ofPhase = Array(repeating: [], count: phases) }

  mutating func add(_ worker: WorkerID, slots: Int, phases: [Int]) -> Handle {
    let number = vacant.popLast() ?? loads.count
    generations += 1
    let load = WorkerLoad(worker: worker, generation: generations, slots: slots)
    if number == loads.count { loads.append(load) } else { loads[number] = load }
    for phase in phases { ofPhase[phase].append(number) }
    return Handle(number: number, generation: generations)
  }

  /// - Returns: the load as it was at the end.
  mutating func remove(_ handle: Handle, phases: [Int]) -> WorkerLoad {
    for phase in phases { ofPhase[phase].removeAll { $0 == handle.number } }
    vacant.append(handle.number)
    let load = loads[handle.number]
    // No handle has this generation: whoever still has the old one finds no load.
    loads[handle.number] = WorkerLoad(worker: load.worker, generation: -1, slots: 0)
    return load
  }

  /// Of a handle that `isCurrent`.
  subscript(handle: Handle) -> WorkerLoad {
    get { loads[handle.number] }
    _modify { yield &loads[handle.number] }
  }

  func isCurrent(_ handle: Handle) -> Bool { loads[handle.number].generation == handle.generation }

  /// Of those with a free place the one with the least load for its slots, among equals the one given the fewest.
  func leastLoaded(in phase: Int) -> Handle? {
    var best: Int?
    for number in ofPhase[phase] where loads[number].freePlaces > 0 {
      guard let former = best else {
        best = number
        continue
      }
      // Loads are compared as fractions of the slots: a/b < c/d where a·d < c·b.
      let (one, other) = (loads[number].load * loads[former].slots, loads[former].load * loads[number].slots)
      if one < other || (one == other && loads[number].given < loads[former].given) { best = number }
    }
    return best.map { Handle(number: $0, generation: loads[$0].generation) }
  }

  func handles(of phase: Int) -> [Handle] {
    ofPhase[phase].map { Handle(number: $0, generation: loads[$0].generation) }
  }

  func hasIdle(in phase: Int) -> Bool { ofPhase[phase].contains { loads[$0].isIdle } }
}
