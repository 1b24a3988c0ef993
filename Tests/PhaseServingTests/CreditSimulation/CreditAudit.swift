import Testing
import WireProtocol

@testable import PhaseServing

/// A second account of what a worker has lent, kept by other means than the ledger's, to see whether that one is right.
struct CreditAudit {
  private struct Told {
    let number: UInt64
    let jobs: Int
    let slots: Int
  }

  /// Of each coordinator, what it may still go by.
  private var told: [[Told]]
  private var latest: [UInt64]
  private var before: (slots: Int, occupied: [Int]) = (0, [])
  private var hasRaised = false

  init(coordinators: Int) {
    told = Array(repeating: [], count: coordinators)
    latest = Array(repeating: 0, count: coordinators)
  }

  func lent(_ link: Int) -> Int { told[link].map(\.slots).max() ?? 0 }

  mutating func heard(_ link: Int, credit: UInt64) { told[link].removeAll { $0.number < credit } }

  mutating func left(_ link: Int) { told[link] = [] }

  mutating func told(_ link: Int, _ credit: JobCredit, depth: Int, worker: Int, _ world: CreditWorld) {
    world.check(credit.number > latest[link], "worker \(worker): credit \(credit.number) after \(latest[link])")
    latest[link] = credit.number
    let slots = (credit.jobs + depth - 1) / depth
    if slots > lent(link) { hasRaised = true }
    told[link].append(Told(number: credit.number, jobs: credit.jobs, slots: slots))
  }

  /// Jobs that came and are to be run.
  func took(_ link: Int, held: Int, worker: Int, _ world: CreditWorld) {
    let most = told[link].map(\.jobs).max() ?? 0
    world.check(held <= most, "worker \(worker) holds \(held) jobs of \(link), which may have \(most)")
  }

  mutating func begin(slots: Int, occupied: [Int]) {
    before = (slots, occupied)
    hasRaised = false
  }

  /// Slots that are lent may be more than there are where some have gone, and more than before never.
  func end(slots: Int, occupied: [Int], worker: Int, _ world: CreditWorld) {
    let (total, former) = (occupied.reduce(0, +), before.occupied.reduce(0, +))
    world.check(
      total <= max(slots, former) || !hasRaised,
      "worker \(worker): \(occupied) of \(slots) slots lent, before \(before)")
  }
}
