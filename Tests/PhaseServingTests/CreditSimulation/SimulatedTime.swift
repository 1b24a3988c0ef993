import PipelineModel

/// What happens next, in the order of its time; what is due at the same moment, in the order in which it was planned.
struct Agenda<What> {
  private struct Entry {
    let at: Int64
    let serial: Int
    let what: What

    func isBefore(_ other: Entry) -> Bool { at != other.at ? at < other.at : serial < other.serial }
  }

  /// Each is before those at twice its place and the one after that.
  private var heap: [Entry] = []
  private var serials = 0

  mutating func plan(_ what: What, at: Int64) {
    serials += 1
    heap.append(Entry(at: at, serial: serials, what: what))
    var child = heap.count - 1
    while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func next() -> (at: Int64, what: What)? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return (first.at, first.what) }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least]) {
        least = child
      }
      guard least != parent else { return (first.at, first.what) }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}

struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func happens(oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &self) == 0 }
}
