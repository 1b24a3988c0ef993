/// Counts messages that cannot be understood, and says which are worth a line in the log: the first of each kind from
/// each source, so that a broken or hostile peer cannot fill the disk. A pure value.
struct MalformedMessages {
  private(set) var total = 0
  private var told: Set<String> = []

  /// - Returns: true where this one should be logged.
  mutating func note(source: String, problem: String) -> Bool {
    total += 1
    return told.count < 1_000 && told.insert(source + "\u{0}" + problem).inserted
  }
}
