/// How long jobs waited at their coordinators while a slot had nothing to do all the time.
struct IdleWaits {
  /// Since when each slot of each worker idles; nil: it does not.
  private var idleSince: [[Int64?]] = []
  private(set) var longest: Int64 = 0
  private(set) var story = ""

  mutating func look(_ world: CreditWorld) {
    if idleSince.isEmpty { idleSince = world.workers.map { Array(repeating: nil, count: $0.slots.count) } }
    var first: Int64?
    for (number, worker) in world.workers.enumerated() {
      for (index, slot) in worker.slots.enumerated() {
        guard slot.isAble, slot.jobs.isEmpty else {
          idleSince[number][index] = nil
          continue
        }
        let since = idleSince[number][index] ?? world.now
        idleSince[number][index] = since
        first = min(first ?? since, since)
      }
    }
    guard let first else { return }
    for coordinator in world.coordinators {
      guard let oldest = coordinator.oldest, world.now - max(first, oldest) > longest else { continue }
      longest = world.now - max(first, oldest)
      story = "at coordinator \(coordinator.number) at \(world.now / 1_000) ms"
    }
  }
}
