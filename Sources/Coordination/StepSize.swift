/// How many jobs one step of a long task looks at, so that it takes a few milliseconds on this store, whatever that is. A
/// pure value.
struct StepSize {
  /// Microseconds.
  static let aim: Int64 = 4_000
  static let range = 20...5_000

  private(set) var limit = 200

  mutating func note(examined: Int, microseconds: Int64) {
    if microseconds > 2 * Self.aim {
      limit = max(Self.range.lowerBound, limit / 2)
    } else if microseconds < Self.aim / 2, examined >= limit {
      limit = min(Self.range.upperBound, limit * 2)
    }
  }
}
