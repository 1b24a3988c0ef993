internal import DequeModule
internal import PipelineModel

/// Reads that wait for the reader, those of the coordinator itself first. A pure value.
///
/// Whoever asks for more than its share hears `busy` at once: a client that polls too fast waits for itself alone.
struct ReadQueue<Work> {
  struct Entry {
    /// Who is to be answered; nil for the coordinator's own reads.
    var route: [UInt8]?
    var since: Instant
    var work: Work
  }

  /// Bounds in entries, and how long one may wait in milliseconds.
  static var maximum: Int { 64 }
  static var maximumPerPeer: Int { 8 }
  static var patience: Int64 { 5_000 }

  private var own: Deque<Work> = []
  private var asked: Deque<Entry> = []
  /// Who asked for the read that is under way.
  private var underWay: [UInt8]?

  var isEmpty: Bool { own.isEmpty && asked.isEmpty }

  mutating func addOwn(_ work: Work) { own.append(work) }

  /// - Parameter goesOn: the next step of a read that was let in before.
  /// - Returns: false where too many wait.
  mutating func add(_ work: Work, of route: [UInt8], now: Instant, goesOn: Bool = false) -> Bool {
    guard goesOn || (asked.count < Self.maximum && count(of: route) < Self.maximumPerPeer) else { return false }
    asked.append(Entry(route: route, since: now, work: work))
    return true
  }

  private func count(of route: [UInt8]) -> Int {
    asked.reduce(underWay == route ? 1 : 0) { $0 + ($1.route == route ? 1 : 0) }
  }

  /// There is one of the coordinator itself, which need not wait for its share.
  var hasOwn: Bool { !own.isEmpty }

  mutating func next() -> Work? {
    if let first = own.popFirst() { return first }
    let first = asked.popFirst()
    underWay = first?.route
    return first?.work
  }

  /// The read under way is over.
  mutating func end() { underWay = nil }

  /// Takes out those that waited too long.
  mutating func takeExpired(now: Instant) -> [Work] {
    var expired: [Work] = []
    while let first = asked.first, now - first.since > Self.patience {
      expired.append(first.work)
      asked.removeFirst()
    }
    return expired
  }

  /// Nobody is there any more to hear the answers.
  mutating func drop(_ route: [UInt8]) { asked.removeAll { $0.route == route } }

  mutating func takeAll() -> [Work] {
    defer { asked.removeAll() }
    own.removeAll()
    return asked.map(\.work)
  }
}
