internal import PipelineModel
internal import WireProtocol

/// Jobs that were lost with a worker before. Each waits here until the coordinator has written down that it begins, so
/// that only a job that had begun counts as lost. A pure value.
struct HeldJobs {
  static let askAgainMilliseconds: Int64 = 500

  private struct Entry {
    let assignment: Assignment
    var askedAt: Instant?
    var mayBegin = false
  }

  /// In the order in which they came.
  private var entries: [Entry] = []

  var isEmpty: Bool { entries.isEmpty }
  var tokens: [LeaseToken] { entries.map(\.assignment.order.token) }

  mutating func add(_ assignment: Assignment) { entries.append(Entry(assignment: assignment)) }

  /// Tokens to ask about now: as many as there are idle children, since a job that was allowed to begin must not wait.
  /// Marks them as asked.
  mutating func toAsk(idleChildren: Int, now: Instant) -> [LeaseToken] {
    var tokens: [LeaseToken] = []
    for index in entries.indices.prefix(idleChildren) where !entries[index].mayBegin {
      if let askedAt = entries[index].askedAt, now - askedAt < Self.askAgainMilliseconds { continue }
      entries[index].askedAt = now
      tokens.append(entries[index].assignment.order.token)
    }
    return tokens
  }

  /// The coordinator's answer; tokens that are not here any more are passed over.
  mutating func allow(_ tokens: [LeaseToken]) {
    for index in entries.indices where tokens.contains(entries[index].assignment.order.token) {
      entries[index].mayBegin = entries[index].askedAt != nil
    }
  }

  /// The next one that may begin.
  mutating func popAllowed() -> Assignment? {
    guard let index = entries.firstIndex(where: \.mayBegin) else { return nil }
    return entries.remove(at: index).assignment
  }

  /// Another coordinator knows nothing of what the former one allowed.
  mutating func forgetAnswers() {
    for index in entries.indices { (entries[index].askedAt, entries[index].mayBegin) = (nil, false) }
  }

  /// Takes some, or all, out of here.
  mutating func remove(_ tokens: Set<LeaseToken>? = nil) -> [Assignment] {
    let leaving = entries.filter { tokens?.contains($0.assignment.order.token) ?? true }.map(\.assignment)
    entries.removeAll { tokens?.contains($0.assignment.order.token) ?? true }
    return leaving
  }
}
