import Testing

@testable import PhaseServing

/// Real ledgers and real rosters by a clock that is moved by hand.
@Suite("Credits between coordinators and workers", .timeLimit(.minutes(15)))
struct CreditSimulationTests {
  /// - Parameter durations: of the jobs of each coordinator, in milliseconds.
  private func world(
    _ slots: [Int], _ durations: [Int64], seed: UInt64 = 1, hungry: Bool = true
  ) throws -> CreditWorld {
    let world = try CreditWorld(CreditWorld.Shape(slots: slots, durations: durations.map { $0 * 1_000 }, seed: seed))
    for coordinator in world.coordinators { coordinator.isInsatiable = hungry }
    return world
  }

  // MARK: - Parts

  @Test(arguments: [[1], [2], [3], [1, 2]])
  func `Two with work get half each, however long their jobs take`(slots: [Int]) throws {
    let world = try world(slots, [5, 50])
    world.run(milliseconds: 2_000)
    let parts = world.parts(milliseconds: 10_000)
    #expect(parts.reduce(0, +) > 0.9, "\(parts)")
    // Short jobs fill what is idle while the next long one is on its way.
    for part in parts { #expect(abs(part - 0.5) <= 0.1, "\(parts)") }
    #expect(world.failures == [])
  }

  @Test func `One slot goes round among three`() throws {
    let world = try world([1], [5, 50, 50])
    world.run(milliseconds: 2_000)
    let parts = world.parts(milliseconds: 10_000)
    for part in parts { #expect(abs(part - 1.0 / 3) <= 1.0 / 30, "\(parts)") }
    #expect(world.failures == [])
  }

  @Test func `Going round takes little of a slot even with jobs that are over at once`() throws {
    let world = try world([1], [1, 1])
    world.run(milliseconds: 1_000)
    let parts = world.parts(milliseconds: 3_000)
    #expect(parts.reduce(0, +) > 0.85, "\(parts)")
    #expect(world.failures == [])
  }

  @Test(arguments: [[1], [3]])
  func `Whoever had all slots for long does not wait as long for its next`(slots: [Int]) throws {
    let world = try world(slots, [5, 5], hungry: false)
    world.coordinators[0].isInsatiable = true
    world.run(milliseconds: 15_000)
    world.coordinators[1].isInsatiable = true
    world.run(milliseconds: 1_000)
    let parts = world.parts(milliseconds: 3_000)
    for part in parts { #expect(part > 0.4, "\(parts)") }
    #expect(world.failures == [])
  }

  @Test(arguments: [[1], [3]])
  func `Time that nobody else wanted is held against nobody`(slots: [Int]) throws {
    let world = try world(slots, [5, 5], hungry: false)
    // So few that hardly anything ever waits.
    world.bring(40, to: 0)
    world.run(milliseconds: 40_000)
    world.bring(nil, to: 0)
    world.coordinators[1].isInsatiable = true
    world.run(milliseconds: 500)
    world.coordinators[0].isInsatiable = true
    world.run(milliseconds: 500)
    let parts = world.parts(milliseconds: 3_000)
    for part in parts { #expect(part > 0.4, "\(parts)") }
    #expect(world.failures == [])
  }

  // MARK: - Waiting

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `No job waits long while a slot idles`(seed: UInt64) throws {
    let world = try world([1, 2, 3], [5, 50, 1_000], seed: seed, hungry: false)
    for number in world.coordinators.indices { world.bring([40, 10, 0.7][number], to: number) }
    try expectNoLongWaits(world)
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `A slot that idles with one coordinator is there for the other's next job`(seed: UInt64) throws {
    let world = try world([1], [5, 50], seed: seed, hungry: false)
    for number in world.coordinators.indices { world.bring(1, to: number) }
    try expectNoLongWaits(world)
  }

  private func expectNoLongWaits(_ world: CreditWorld) throws {
    world.run(milliseconds: 3_000)
    world.waits = IdleWaits()
    world.run(milliseconds: 10_000)
    let waits = try #require(world.waits)
    #expect(waits.longest <= 250_000, "\(waits.longest / 1_000) ms \(waits.story), seed \(world.shape.seed)")
    #expect(world.failures == [])
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `One that was alone has its next job run soon after a hungry one came`(seed: UInt64) throws {
    let world = try world([1], [50, 50], seed: seed, hungry: false)
    world.stop(1, milliseconds: 5_000)
    world.coordinators[1].isInsatiable = true
    world.run(milliseconds: 4_500)
    for _ in 0..<3_000 where world.workers[0].running(for: 1) == 0 { world.run(milliseconds: 1) }
    world.run(milliseconds: 120)
    world.coordinators[0].add(1)
    world.run(milliseconds: 250)
    #expect(world.workers[0].used[0] > 0)
    #expect(world.failures == [])
  }

  @Test func `Slots of one that hangs are lent to others within two seconds, and come back to it`() throws {
    let world = try world([1, 2], [50, 50, 5])
    world.run(milliseconds: 2_000)
    world.hang(0, milliseconds: 5_000)
    world.run(milliseconds: 2_000)
    let parts = world.parts(milliseconds: 1_000)
    #expect(parts[0] == 0 && parts.reduce(0, +) > 0.9, "\(parts)")
    world.run(milliseconds: 3_000)
    let later = world.parts(milliseconds: 4_000)
    #expect(later[0] > 0.25, "\(later)")
    #expect(world.failures == [])
  }

  // MARK: - Messages

  private func creditsTold(_ world: CreditWorld, milliseconds: Int64) -> Int {
    let before = world.workers.reduce(0) { $0 + $1.creditsTold }
    world.run(milliseconds: milliseconds)
    return world.workers.reduce(0) { $0 + $1.creditsTold } - before
  }

  @Test(arguments: [Int64(5), 50, 1_000])
  func `A single coordinator is told nothing more once it has its credit`(duration: Int64) throws {
    let world = try world([2], [duration])
    world.run(milliseconds: 4_000)
    #expect(creditsTold(world, milliseconds: 4_000) == 0)
  }

  @Test(arguments: [1, 2, 3], [[5, 50], [5, 5], [1, 1], [1, 1_000]])
  func `Two that share a worker are told of their credits seldom`(slots: Int, durations: [Int64]) throws {
    let world = try world([slots], durations)
    world.run(milliseconds: 2_000)
    let told = creditsTold(world, milliseconds: 2_000)
    #expect(told <= 200, "\(told / 2) credits a second")
    #expect(world.failures == [])
  }
}
