internal import PipelineModel

/// Requests that have no answer yet, bounded in count and bytes. A pure value: the loop sends what `takeUnsent` gives it
/// and completes the replies that the others return.
struct OpenRequests {
  static let maximumCount = 10_000
  static let maximumBytes = 64 << 20

  private struct Entry {
    var deadline: Instant
    /// Empty once it was sent.
    var frames: [[UInt8]]
    var bytes: Int
    /// What is asked changes something, so that it matters whether it was done.
    var changesSomething: Bool
    var reply: PendingReply
  }

  /// What was given up at its deadline.
  struct Expired {
    var reply: PendingReply
    var wasSent: Bool
    var changesSomething: Bool
  }

  private var entries: [UInt64: Entry] = [:]
  /// Numbers of those not sent yet, oldest first; answered or expired ones are passed over.
  private var unsent: ArraySlice<UInt64> = []
  private var bytes = 0
  private var lastNumber: UInt64 = 0
  /// No deadline is earlier.
  private(set) var earliestDeadline = Instant.distantFuture

  mutating func nextNumber() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }

  /// - Returns: false where too much is open already. One request alone may be of any size.
  mutating func add(
    _ number: UInt64, _ frames: [[UInt8]], deadline: Instant, changesSomething: Bool, reply: PendingReply
  ) -> Bool {
    let size = frames.reduce(0) { $0 + $1.count }
    guard entries.count < Self.maximumCount, bytes == 0 || bytes + size <= Self.maximumBytes else { return false }
    bytes += size
    entries[number] = Entry(
      deadline: deadline, frames: frames, bytes: size, changesSomething: changesSomething, reply: reply)
    unsent.append(number)
    earliestDeadline = min(earliestDeadline, deadline)
    return true
  }

  /// The oldest request that was not sent; `markSent` once it is.
  mutating func firstUnsent() -> (number: UInt64, frames: [[UInt8]])? {
    while let number = unsent.first {
      if let entry = entries[number] { return (number, entry.frames) }
      unsent.removeFirst()
    }
    // Gives back the room of what was sent.
    unsent = []
    return nil
  }

  mutating func markSent(_ number: UInt64) {
    entries[number]?.frames = []
    if unsent.first == number { unsent.removeFirst() }
  }

  /// Nil for what nobody waits for any more.
  mutating func takeAnswered(_ number: UInt64) -> PendingReply? {
    guard let entry = entries.removeValue(forKey: number) else { return nil }
    bytes -= entry.bytes
    return entry.reply
  }

  mutating func takeExpired(now: Instant) -> [Expired] {
    guard earliestDeadline <= now else { return [] }
    var expired: [Expired] = []
    var earliest = Instant.distantFuture
    for (number, entry) in entries {
      guard entry.deadline <= now else {
        earliest = min(earliest, entry.deadline)
        continue
      }
      bytes -= entry.bytes
      entries[number] = nil
      expired.append(
        Expired(reply: entry.reply, wasSent: entry.frames.isEmpty, changesSomething: entry.changesSomething))
    }
    earliestDeadline = earliest
    return expired
  }

  mutating func takeAll() -> [PendingReply] {
    let replies = entries.values.map(\.reply)
    entries = [:]
    unsent = []
    bytes = 0
    earliestDeadline = .distantFuture
    return replies
  }
}
