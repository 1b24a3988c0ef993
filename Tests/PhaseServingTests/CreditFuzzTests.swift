import Glibc
import Testing

@testable import PhaseServing

private func variable(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

/// `CARBONTUBE_FUZZ_MESSAGES` says how many steps of trouble over all seeds, `CARBONTUBE_FUZZ_SEED` which is the first.
@Suite("Credits in trouble", .timeLimit(.minutes(60)))
struct CreditFuzzTests {
  private static let steps = Int(variable("CARBONTUBE_FUZZ_MESSAGES") ?? 20_000)
  private static let seeds: [UInt64] = {
    let first = variable("CARBONTUBE_FUZZ_SEED") ?? 1
    return (0..<UInt64(min(40, max(4, steps / 5_000)))).map { first &+ $0 }
  }()

  @Test(arguments: Self.seeds)
  func `Slots are never lent twice, whatever goes wrong, and all run again when it is over`(seed: UInt64) throws {
    let world = try CreditWorld(
      CreditWorld.Shape(slots: [1, 2, 3, 4, 5], durations: [5_000, 50_000, 1_000_000], seed: seed))
    let steps = Self.steps / Self.seeds.count
    let rounds = max(1, steps / 12_500)
    for _ in 0..<rounds {
      world.isTroubled = true
      world.run(steps: steps / rounds)
      try calm(world)
    }
    #expect(world.failures == [])
  }

  private func calm(_ world: CreditWorld) throws {
    world.isTroubled = false
    for number in world.coordinators.indices {
      world.bring(nil, to: number)
      world.coordinators[number].isInsatiable = true
    }
    // Until jobs that were lost on their way are missed, and the last mail has come.
    world.run(milliseconds: 8_000)
    world.waits = IdleWaits()
    let all = world.parts(milliseconds: 2_000)
    world.check(all.reduce(0, +) > 0.9, "with work for all, slots run by \(all)")
    let waits = try #require(world.waits)
    world.check(waits.longest <= 250_000, "a job waited \(waits.longest / 1_000) ms for an idle slot \(waits.story)")
    world.waits = nil
    for coordinator in world.coordinators {
      coordinator.isInsatiable = false
      coordinator.forgetQueue()
    }
  }
}
