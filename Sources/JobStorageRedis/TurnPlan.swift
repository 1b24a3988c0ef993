internal import JobStorage
internal import PipelineModel

/// A turn as calls of the turn script, each bounded in items and bytes: Redis serves nobody else while one runs.
struct TurnPlan {
  /// What one part of a call does: places in the turn's arrays. Each has one answer.
  enum Part {
    case completions(Range<Int>)
    case failure(Int)
    case release(Int)
    case enqueues(Range<Int>)
    case promotion(limit: Int)
    case claim(Int, limit: Int)
    case metrics(Int)
  }

  /// Completions and enqueues of one call, the cheapest; others count for more.
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
  private var starts: [Int] = []
  private var room = 0
  private var byteRoom = 0

  init(_ turn: StoreTurn, keys: PhaseKeys) {
    add(turn.completions)
    for (index, item) in turn.failures.enumerated() {
      add(.failure(index), items: 2, bytes: item.error.message.utf8.count + item.error.standardErrorTail.utf8.count)
    }
    add(turn.releases)
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
    of count: Int, alike: (Int, Int) -> Bool, bytes: (Int) -> Int, part: (Range<Int>) -> Part
  ) {
    var start = 0
    while start < count {
      makeRoom(items: 1, bytes: bytes(start) + Self.bytesAround)
      byteRoom -= bytes(start) + Self.bytesAround
      var end = start + 1
      while end < min(start + room, count), alike(start, end), bytes(end) + Self.bytesAround <= byteRoom {
        byteRoom -= bytes(end) + Self.bytesAround
        end += 1
      }
      parts.append(part(start..<end))
      room -= end - start
      start = end
    }
  }

  private mutating func add(_ completions: [Completion]) {
    addRuns(
      of: completions.count,
      alike: {
        completions[$0].nextPhase == completions[$1].nextPhase
          && (completions[$0].instructions == nil) == (completions[$1].instructions == nil)
      }, bytes: { completions[$0].instructions?.count ?? 0 }, part: { .completions($0) })
  }

  private mutating func add(_ enqueues: [NewJob], dueBy: Timestamp) {
    addRuns(
      of: enqueues.count,
      alike: {
        enqueues[$0].priority == enqueues[$1].priority
          && enqueues[$0].due(after: dueBy) == enqueues[$1].due(after: dueBy)
      }, bytes: { enqueues[$0].instructions.count }, part: { .enqueues($0) })
  }

  /// Backwards, so that the first of them ends up in front. Where two have the same token the first is meant.
  private mutating func add(_ releases: [Release]) {
    guard !releases.isEmpty else { return }
    var seen: Set<LeaseToken> = []
    let isFirst = releases.map { seen.insert($0.token).inserted }
    for index in releases.indices.reversed() where isFirst[index] { add(.release(index), items: 2) }
  }
}

extension NewJob {
  /// As the script wants it: 0 at once.
  func due(after moment: Timestamp) -> Int64 { notBefore.map { $0 > moment ? $0.milliseconds : 0 } ?? 0 }
}
