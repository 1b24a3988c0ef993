internal import PipelineModel

/// Decides when something that lasts is worth a line in the log: when it begins, when it becomes something else, and
/// rarely after that. A pure value.
struct RareRemark {
  private static let repeatMilliseconds: Int64 = 600_000
  /// Reasons that change all the time are no news each time.
  private static let changeMilliseconds: Int64 = 10_000

  private var said: (text: String, at: Instant)?

  /// True between the first line and the end of what it was about.
  var isOpen: Bool { said != nil }

  /// - Returns: whether `text` is to be said now.
  mutating func isDue(_ text: String, now: Instant) -> Bool {
    if let said {
      let pause = said.text == text ? Self.repeatMilliseconds : Self.changeMilliseconds
      guard now - said.at >= pause else { return false }
    }
    said = (text, now)
    return true
  }

  /// - Returns: whether something had been said that is over now.
  mutating func end() -> Bool {
    defer { said = nil }
    return said != nil
  }
}
