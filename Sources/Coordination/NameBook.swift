internal import DequeModule
internal import PipelineModel

/// Which names of hosts are known, asked for, and waiting to be asked for. A pure value.
struct NameBook {
  enum Answer: Equatable {
    case number(String)
    case unknown(String)
    case pending
  }

  /// How long an answer is good for, in milliseconds: a name may move.
  static let memory: Int64 = 5_000
  /// Names that are asked for at a time: one that takes long keeps no other one waiting.
  static let maximumAsked = 8
  static let maximumWaiting = 64
  static let maximumKnown = 1_024

  private var known: [String: (answer: Answer, until: Instant)] = [:]
  private var asked: Set<String> = []
  private var waiting: Deque<String> = []

  /// Where it is not known, it is put behind those that wait.
  mutating func answer(for name: String, now: Instant) -> Answer {
    if let (answer, until) = known[name], now < until { return answer }
    if asked.contains(name) || waiting.contains(name) { return .pending }
    guard waiting.count < Self.maximumWaiting else { return .unknown("too many names are being looked up") }
    waiting.append(name)
    return .pending
  }

  /// - Returns: one that is to be asked for now; nil where there is none, or enough are.
  mutating func next() -> String? {
    guard asked.count < Self.maximumAsked, let name = waiting.popFirst() else { return nil }
    asked.insert(name)
    return name
  }

  mutating func learn(_ name: String, _ answer: Answer, now: Instant) {
    asked.remove(name)
    if known.count >= Self.maximumKnown { known = known.filter { now < $0.value.until } }
    if known.count >= Self.maximumKnown { known = [:] }
    known[name] = (answer, now + Self.memory)
  }
}
