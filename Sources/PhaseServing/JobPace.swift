/// How long the jobs of one coordinator take, and so how many are worth to have here ahead of time. A pure value.
struct JobPace {
  /// Moving average of a run's length in microseconds; short runs are given to a child several at a time.
  private(set) var meanDuration: Double?
  /// Jobs per slot that it is worth to have here, where nobody else's jobs could take the slot.
  private(set) var depth = 1

  /// Above this a phase is not fetched ahead at all, in microseconds; and this much work may wait for each slot.
  private static let aheadMicroseconds = 20_000.0
  /// What waits behind a job is recalled after 150 ms where it could run elsewhere: jobs that take longer than this would
  /// be. In microseconds.
  private static let aheadOfOthersMicroseconds = 100_000.0
  /// Jobs that may wait for each slot, however short they are.
  private static let mostAhead = 63

  /// Jobs per slot that it is worth to have here beside those of other coordinators. A slot whose job has ended takes what
  /// is here already: whoever has nothing here would lose the slot for the time that its next job is on the way.
  var sharedDepth: Int {
    guard let meanDuration, meanDuration < Self.aheadOfOthersMicroseconds else { return depth }
    return max(depth, 2)
  }

  mutating func noteDuration(microseconds: Int64) {
    let mean = meanDuration.map { $0 * 0.9 + Double(microseconds) * 0.1 } ?? Double(microseconds)
    meanDuration = mean
    let wanted =
      mean >= Self.aheadMicroseconds ? 1 : 1 + min(Int(Self.aheadMicroseconds / max(mean, 1)), Self.mostAhead)
    // Each change is told to the coordinator: small ones are not worth it.
    if wanted == 1 || wanted > depth + depth / 2 || wanted < depth - depth / 3 { depth = wanted }
  }
}
