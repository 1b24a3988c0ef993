/// Whether workers have to hear now of what waits for them, beside what each hears now and then. A pure value.
struct DemandNews {
  private var isDue = false
  /// Phases for which something waited when that was told last.
  private var waitingAsTold: [Bool] = []

  /// Something that a worker has to hear soon has come up.
  mutating func expect() { isDue = true }

  /// Asked in every step of the loop: false where looking at what waits would be in vain.
  /// - Parameter hasShared: some workers hear of what begins or ceases to wait as soon as it does.
  func mayBeDue(hasShared: Bool) -> Bool { isDue || hasShared }

  /// - Parameters:
  ///   - waiting: jobs of each phase that could be given out.
  ///   - isTick: the workers are looked at anyhow.
  /// - Returns: false where there is nothing to tell; else it counts as told.
  mutating func take(waiting: [Int], isTick: Bool) -> Bool {
    let isWaiting = waiting.map { $0 > 0 }
    guard isDue || isTick || isWaiting != waitingAsTold else { return false }
    (isDue, waitingAsTold) = (false, isWaiting)
    return true
  }
}
