import Glibc
import Testing

@testable import PhaseServing

/// `CARBONTUBE_SIMULATED_STEPS` says how many steps of trouble, over all seeds.
private let troubledSteps = getenv("CARBONTUBE_SIMULATED_STEPS").flatMap { Int(String(cString: $0)) } ?? 100_000

/// Real ledgers and real rosters by a clock that is moved by hand.
@Suite("Credits between coordinators and workers", .timeLimit(.minutes(60)))
struct CreditSimulationTests {
  private static let seeds: ClosedRange<UInt64> = 1...10

  private func world(_ slots: [Int], _ durations: [Int64], seed: UInt64 = 1) throws -> CreditWorld {
    try CreditWorld(CreditWorld.Shape(slots: slots, durations: durations.map { $0 * 1_000 }, seed: seed))
  }

  private func expectNoFailures(_ world: CreditWorld) { #expect(world.failures == []) }

  /// Time of slots that each coordinator's jobs took in a while, as parts of all there is.
  private func parts(_ world: CreditWorld, milliseconds: Int64) -> [Double] {
    let before = used(world)
    world.run(milliseconds: milliseconds)
    let all = Double(milliseconds * 1_000) * Double(world.workers.reduce(0) { $0 + $1.ableSlots })
    return zip(used(world), before).map { Double($0 - $1) / all }
  }

  private func used(_ world: CreditWorld) -> [Int64] {
    world.coordinators.indices.map { number in world.workers.reduce(0) { $0 + $1.used[number] } }
  }

  // MARK: - Trouble

  @Test(arguments: Self.seeds)
  func `Slots are never lent twice, whatever goes wrong, and all run again when it is over`(seed: UInt64) throws {
    let world = try world([1, 2, 3, 4, 5], [5, 50, 1_000], seed: seed)
    let rounds = 5
    for _ in 0..<rounds {
      world.isTroubled = true
      world.run(steps: troubledSteps / rounds / Self.seeds.count)
      try calm(world)
    }
    expectNoFailures(world)
  }

  private func calm(_ world: CreditWorld) throws {
    world.isTroubled = false
    for number in world.coordinators.indices {
      world.bring(nil, to: number)
      world.coordinators[number].isInsatiable = true
    }
    world.run(milliseconds: 9_000)
    world.waits = IdleWaits()
    let all = parts(world, milliseconds: 3_000)
    world.check(all.reduce(0, +) > 0.9, "with work for all, slots run by \(all)")
    let waits = try #require(world.waits)
    world.check(waits.longest <= 250_000, "a job waited \(waits.longest / 1_000) ms for an idle slot \(waits.story)")
    world.waits = nil
    for coordinator in world.coordinators {
      coordinator.isInsatiable = false
      coordinator.forgetQueue()
    }
  }

  // MARK: - Parts

  @Test(arguments: [[1], [2], [3], [1, 2, 3, 4, 5]])
  func `Two with work get half each, however long their jobs take`(slots: [Int]) throws {
    let world = try world(slots, [5, 50])
    for coordinator in world.coordinators { coordinator.isInsatiable = true }
    world.run(milliseconds: 3_000)
    let parts = parts(world, milliseconds: 20_000)
    let sum = parts.reduce(0, +)
    #expect(sum > 0.85, "\(parts)")
    for part in parts { #expect(abs(part / sum - 0.5) <= 0.05, "\(parts)") }
    expectNoFailures(world)
  }

  @Test func `One slot goes round among three`() throws {
    let world = try world([1], [5, 50, 50])
    for coordinator in world.coordinators { coordinator.isInsatiable = true }
    world.run(milliseconds: 3_000)
    let parts = parts(world, milliseconds: 20_000)
    let sum = parts.reduce(0, +)
    #expect(sum > 0.85, "\(parts)")
    for part in parts { #expect(abs(part / sum - 1.0 / 3) <= 1.0 / 30, "\(parts)") }
    expectNoFailures(world)
  }

  @Test(arguments: [[1], [4]])
  func `Whoever had all slots for long does not wait as long for its next`(slots: [Int]) throws {
    let world = try world(slots, [5, 5])
    world.coordinators[0].isInsatiable = true
    world.run(milliseconds: 60_000)
    world.coordinators[1].isInsatiable = true
    world.run(milliseconds: 1_000)
    let parts = parts(world, milliseconds: 5_000)
    for part in parts { #expect(part > 0.4, "\(parts)") }
    expectNoFailures(world)
  }

  @Test(arguments: [[1], [4]])
  func `Time that nobody else wanted is held against nobody`(slots: [Int]) throws {
    let world = try world(slots, [5, 5])
    // Less than there is room for, so that hardly anything ever waits.
    world.bring(20, to: 0)
    world.run(milliseconds: 120_000)
    world.bring(nil, to: 0)
    world.coordinators[1].isInsatiable = true
    world.run(milliseconds: 1_000)
    world.coordinators[0].isInsatiable = true
    world.run(milliseconds: 1_000)
    let parts = parts(world, milliseconds: 4_000)
    for part in parts { #expect(part > 0.4, "\(parts)") }
    expectNoFailures(world)
  }

  // MARK: - Waiting

  @Test(arguments: Self.seeds)
  func `No job waits long while a slot idles`(seed: UInt64) throws {
    let world = try world([1, 1, 2, 3, 4], [5, 50, 1_000], seed: seed)
    for number in world.coordinators.indices { world.bring([40, 10, 0.7][number], to: number) }
    world.run(milliseconds: 3_000)
    world.waits = IdleWaits()
    world.run(milliseconds: 10_000)
    let waits = try #require(world.waits)
    #expect(waits.longest <= 250_000, "\(waits.longest / 1_000) ms \(waits.story), seed \(seed)")
    expectNoFailures(world)
  }

  @Test func `A coordinator that comes to one with all slots gets some at once`() throws {
    let world = try world([4], [50, 50])
    world.coordinators[0].isInsatiable = true
    world.stop(1, milliseconds: 5_000)
    world.coordinators[1].isInsatiable = true
    world.run(milliseconds: 6_000)
    world.waits = IdleWaits()
    let parts = parts(world, milliseconds: 2_000)
    for part in parts { #expect(part > 0.4, "\(parts)") }
    expectNoFailures(world)
  }

  @Test func `Slots of one that hangs are lent to others within two seconds`() throws {
    let world = try world([1, 2, 3, 4, 5], [50, 50, 5])
    for coordinator in world.coordinators { coordinator.isInsatiable = true }
    world.run(milliseconds: 3_000)
    world.hang(0, milliseconds: 10_000)
    world.run(milliseconds: 2_000)
    #expect(world.workers.allSatisfy { $0.running(for: 0) == 0 })
    let parts = parts(world, milliseconds: 5_000)
    #expect(parts[0] == 0 && parts.reduce(0, +) > 0.9, "\(parts)")
    world.run(milliseconds: 5_000)
    let later = self.parts(world, milliseconds: 5_000)
    #expect(later[0] > 0.25, "\(later)")
    expectNoFailures(world)
  }

  // MARK: - Messages

  private func creditsTold(_ world: CreditWorld, milliseconds: Int64) -> Int {
    let before = world.workers.reduce(0) { $0 + $1.creditsTold }
    world.run(milliseconds: milliseconds)
    return world.workers.reduce(0) { $0 + $1.creditsTold } - before
  }

  @Test(arguments: [Int64(5), 50, 1_000])
  func `A single coordinator is told nothing more once it has its credit`(duration: Int64) throws {
    let world = try world([4], [duration])
    world.coordinators[0].isInsatiable = true
    world.run(milliseconds: 5_000)
    #expect(creditsTold(world, milliseconds: 5_000) == 0)
  }

  @Test(arguments: [1, 2, 3, 5], [[5, 50], [5, 5], [1, 1], [50, 50], [1, 1_000]])
  func `Two that share a worker are told of their credits seldom`(slots: Int, durations: [Int64]) throws {
    let world = try world([slots], durations)
    for coordinator in world.coordinators { coordinator.isInsatiable = true }
    world.run(milliseconds: 3_000)
    let told = creditsTold(world, milliseconds: 5_000)
    #expect(told <= 500, "\(told / 5) credits a second")
    expectNoFailures(world)
  }
}
