internal import JobStorage
internal import PipelineModel

/// A turn as calls of the turn script, each bounded in items and bytes: Redis serves nobody else while one runs.
struct TurnPlan {
  /// What one part of a call does: places in the turn's arrays. Each has one answer.
  enum Part {
    /// Those of a run become the same.
    case settlements(Range<Int>, SettledHead)
    case enqueues(Range<Int>)
    case promotion(limit: Int)
    case claim(Int, limit: Int)
    case metrics(Int)
  }

  /// Settlements and enqueues of one call, the cheapest; others count for more.
  static let itemsPerCall = 500
  static let bytesPerCall = 4 << 20
  /// Each is read, moved and written by itself.
  static let promotionsPerCall = 250
  /// A part claims this many at most; for more it is repeated.
  static let claimsPerPart = 500
  private static let promotionsPerTurn = 10_000
  /// Of the words around a job's or an attempt's own bytes.
  private static let bytesAround = 256

  /// Of all calls, in order.
  private(set) var parts: [Part] = []
  /// Settlements of a lease that an earlier one of the turn settles: they are stale, and the script is not asked.
  private(set) var repeated: [Int] = []
  private var starts: [Int] = []
  private var room = 0
  private var byteRoom = 0

  init(_ turn: StoreTurn, keys: PhaseKeys) {
    add(turn.settlements, dueBy: turn.promotionTime)
    add(turn.enqueues, dueBy: turn.promotionTime)
    var due = min(turn.promotionLimit, Self.promotionsPerTurn)
    while due > 0 {
      let count = min(due, Self.promotionsPerCall)
      add(.promotion(limit: count), items: 2 * count)
      due -= count
    }
    for (index, item) in turn.claims.enumerated() where item.limit > 0 && keys.key(ofIndex: item.phase) != nil {
      let limit = min(item.limit, Self.claimsPerPart)
      add(.claim(index, limit: limit), items: limit / 4 + 1)
    }
    for (index, item) in turn.metrics.enumerated() where keys.key(ofIndex: item.phase) != nil {
      add(.metrics(index), items: 25)
    }
  }

  /// The parts of each call.
  var calls: some Sequence<ArraySlice<Part>> {
    starts.indices.lazy.map { parts[starts[$0]..<($0 + 1 < starts.count ? starts[$0 + 1] : parts.count)] }
  }

  private mutating func makeRoom(items: Int, bytes: Int) {
    guard starts.isEmpty || room < items || byteRoom < bytes else { return }
    starts.append(parts.count)
    room = Self.itemsPerCall
    byteRoom = Self.bytesPerCall
  }

  private mutating func add(_ part: Part, items: Int, bytes: Int = 0) {
    makeRoom(items: items, bytes: bytes)
    parts.append(part)
    room -= items
    byteRoom -= bytes + Self.bytesAround
  }

  /// Neighbours that are alike in what the script wants once for all of them.
  private mutating func addRuns(
    of range: Range<Int>, alike: (Int, Int) -> Bool, bytes: (Int) -> Int, part: (Range<Int>) -> Part
  ) {
    var start = range.lowerBound
    while start < range.upperBound {
      makeRoom(items: 1, bytes: bytes(start) + Self.bytesAround)
      byteRoom -= bytes(start) + Self.bytesAround
      var end = start + 1
      while end < min(start + room, range.upperBound), alike(start, end), bytes(end) + Self.bytesAround <= byteRoom {
        byteRoom -= bytes(end) + Self.bytesAround
        end += 1
      }
      parts.append(part(start..<end))
      // One alone costs nearly as many commands as many.
      room -= max(end - start, 2)
      start = end
    }
  }

  private mutating func add(_ settlements: [Settlement], dueBy: Timestamp) {
    let heads = settlements.map { SettledHead($0, dueBy: dueBy) }
    guard heads.contains(where: \.isToFront) else {
      return addRuns(of: settlements.indices, settlements, heads)
    }
    // Those to the front come last, whatever the order: so which of two settles a lease is decided here.
    var seen: Set<SettledLease> = []
    let isFirst = settlements.map { seen.insert(SettledLease($0)).inserted }
    repeated = settlements.indices.filter { !isFirst[$0] }
    var start = 0
    for index in settlements.indices where heads[index].isToFront || !isFirst[index] {
      addRuns(of: start..<index, settlements, heads)
      start = index + 1
    }
    addRuns(of: start..<settlements.count, settlements, heads)
    // Backwards, so that the first of them ends up in front.
    for index in settlements.indices.reversed() where heads[index].isToFront && isFirst[index] {
      addRuns(of: index..<index + 1, settlements, heads)
    }
  }

  private mutating func addRuns(of range: Range<Int>, _ settlements: [Settlement], _ heads: [SettledHead]) {
    addRuns(
      of: range, alike: { heads[$0] == heads[$1] }, bytes: { settlements[$0].effect.bytes },
      part: { .settlements($0, heads[$0.lowerBound]) })
  }

  private mutating func add(_ enqueues: [NewJob], dueBy: Timestamp) {
    addRuns(
      of: enqueues.indices,
      alike: {
        enqueues[$0].priority == enqueues[$1].priority
          && enqueues[$0].due(after: dueBy) == enqueues[$1].due(after: dueBy)
      }, bytes: { enqueues[$0].instructions.count }, part: { .enqueues($0) })
  }
}

extension NewJob {
  /// As the script wants it: 0 at once.
  func due(after moment: Timestamp) -> Int64 {
    guard case .delayed(let due) = JobLifecycle.enqueue(self, at: 0, dueBy: moment) else { return 0 }
    return due.milliseconds
  }
}

/// What the script wants once for a run of settlements: what their jobs become.
struct SettledHead: Equatable {
  let from: Int
  let to: Place
  let counters: JobCounters
  /// As the script wants it: 1 with an error, 0 without, nothing as it is.
  let erred: String
  let hasInstructions: Bool

  init(_ settlement: Settlement, dueBy: Timestamp) {
    let move = JobLifecycle.move(by: settlement, dueBy: dueBy)
    from = settlement.from
    to = move.to
    counters = move.counters
    hasInstructions = move.instructions != nil
    erred =
      switch move.error {
      case .kept: ""
      case .replaced: "1"
      case .forgotten: "0"
      }
  }

  var isToFront: Bool {
    guard case .queue(_, atFront: true) = to else { return false }
    return true
  }
}

/// What a settlement says that it ends.
private struct SettledLease: Hashable {
  let job: JobID
  let token: LeaseToken
  let from: Int

  init(_ settlement: Settlement) {
    job = settlement.job
    token = settlement.token
    from = settlement.from
  }
}

extension Effect {
  /// What it brings along, the most of it.
  fileprivate var bytes: Int {
    switch self {
    case .advance(_, let instructions), .succeed(let instructions): instructions?.count ?? 0
    case .retry(_, let error), .bury(let error), .cancel(let error):
      error.message.utf8.count + error.standardErrorTail.utf8.count
    case .toFront: 0
    }
  }
}
