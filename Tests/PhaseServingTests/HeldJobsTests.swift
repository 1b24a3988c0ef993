import PipelineModel
import Testing
import WireProtocol

@testable import PhaseServing

@Suite("A job that was lost before begins only when the coordinator has written that down")
struct HeldJobsTests {
  private let start = Instant(milliseconds: 0)

  private func token(_ assignment: Assignment?) -> LeaseToken? { assignment?.order.token }

  private func held(_ tokens: UInt64...) throws -> HeldJobs {
    var held = HeldJobs()
    for token in tokens {
      let order = JobOrder(
        job: try #require(JobID("j\(token)")), token: LeaseToken(token), attempt: 2, timeoutMilliseconds: 0,
        isSuspect: true)
      held.add(Assignment(order: order, link: 1, serial: token, pipeline: "p", instructions: []))
    }
    return held
  }

  @Test func `It is asked about for idle children alone, and again each half second`() throws {
    var held = try held(1, 2, 3)
    #expect(held.toAsk(idleChildren: 0, now: start) == [])
    #expect(held.toAsk(idleChildren: 2, now: start) == [LeaseToken(1), LeaseToken(2)])
    #expect(held.toAsk(idleChildren: 2, now: start + 499) == [])
    #expect(held.toAsk(idleChildren: 2, now: start + 500) == [LeaseToken(1), LeaseToken(2)])
    #expect(token(held.popAllowed()) == nil)
    held.allow([LeaseToken(2), LeaseToken(9)])
    let allowed = held.popAllowed()
    #expect(allowed?.order.token == LeaseToken(2))
    #expect(token(held.popAllowed()) == nil)
    #expect(held.tokens == [LeaseToken(1), LeaseToken(3)])
  }

  @Test func `An answer that was not asked for allows nothing`() throws {
    var held = try held(1)
    held.allow([LeaseToken(1)])
    #expect(token(held.popAllowed()) == nil)
  }

  @Test func `It can be taken back at any time, and another coordinator is asked anew`() throws {
    var held = try held(1, 2, 3)
    _ = held.toAsk(idleChildren: 3, now: start)
    held.allow([LeaseToken(1), LeaseToken(2)])
    let recalled = held.remove([LeaseToken(2)])
    #expect(recalled.map(\.order.token) == [LeaseToken(2)])
    held.forgetAnswers()
    #expect(token(held.popAllowed()) == nil)
    #expect(held.toAsk(idleChildren: 3, now: start + 1) == [LeaseToken(1), LeaseToken(3)])
    let rest = held.remove()
    #expect(rest.count == 2)
    #expect(held.isEmpty)
  }
}
