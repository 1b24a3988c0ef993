/// Places in the queues are single numbers, so that a claim reads a range of one small table and a job's place is found
/// without an index: 16 bits of phase key, 4 of priority, 43 of position, in the order in which jobs are given out.
enum QueuePlace {
  static let maximumPhaseKeys = 1 << 16
  private static let priorityBits = 4
  private static let positionBits = 43

  /// All of a phase, the highest priority first.
  static func range(ofPhaseKey key: Int) -> ClosedRange<Int64> {
    let bits = Int64(priorityBits + positionBits)
    let first = Int64(key) << bits
    return first...(first | ((1 << bits) - 1))
  }

  /// The jobs of one priority in a phase.
  static func line(phaseKey: Int, priority: Int) -> ClosedRange<Int64> {
    let number = Int64(phaseKey) << Int64(priorityBits) | Int64(highestPriority - priority)
    let first = number << Int64(positionBits)
    return first...(first | ((1 << Int64(positionBits)) - 1))
  }

  /// Where an empty line begins. It grows both ways: four years at thirty thousand jobs a second without ever being
  /// empty when the store is opened.
  static func middle(of line: ClosedRange<Int64>) -> Int64 { line.lowerBound + 1 << (Int64(positionBits) - 1) }

  static let highestPriority = 7
}

/// The ends of the lines that were used since the store was opened, so that a job is put there without a search.
struct QueueLines {
  private struct Ends {
    /// Of the first job.
    var front: Int64
    /// Free, behind the last job.
    var back: Int64
  }

  private var ends: [Int64: Ends] = [:]

  /// The next free place at the end of a line (or in front of it).
  /// - Parameter limits: reads the first and the last taken place of a line; nil where it is empty.
  mutating func next(
    in line: ClosedRange<Int64>, atFront: Bool,
    limits: (ClosedRange<Int64>) throws(SQLiteFailure) -> (Int64, Int64)?
  ) throws(SQLiteFailure) -> Int64 {
    var present: Ends
    if let known = ends[line.lowerBound] {
      present = known
    } else if let (first, last) = try limits(line) {
      present = Ends(front: first, back: last &+ 1)
    } else {
      let middle = QueuePlace.middle(of: line)
      present = Ends(front: middle, back: middle)
    }
    let place: Int64
    if atFront {
      present.front &-= 1
      place = present.front
    } else {
      place = present.back
      present.back &+= 1
    }
    guard line.contains(place) else { throw SQLiteFailure.unreadable("a queue has reached the end of its places") }
    ends[line.lowerBound] = present
    return place
  }
}
