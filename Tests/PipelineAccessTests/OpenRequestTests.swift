import PipelineModel
import Testing

@testable import PipelineAccess

@Suite struct OpenRequestTests {
  private func at(_ milliseconds: Int64) -> Instant { Instant(milliseconds: milliseconds) }

  @discardableResult
  private func add(
    _ open: inout OpenRequests, bytes: Int = 10, deadline: Int64 = 100, changesSomething: Bool = false
  ) -> UInt64? {
    let number = open.nextNumber()
    let isTaken = open.add(
      number, [[UInt8](repeating: 0, count: bytes)], deadline: at(deadline), changesSomething: changesSomething,
      reply: PendingReply())
    return isTaken ? number : nil
  }

  @Test func theyAreSentOnceInTheirOrder() throws {
    var open = OpenRequests()
    for _ in 0..<3 { add(&open) }
    for number in 1...3 {
      #expect(open.firstUnsent()?.number == UInt64(number))
      #expect(open.firstUnsent()?.frames.count == 1)
      open.markSent(UInt64(number))
    }
    #expect(open.firstUnsent() == nil)
    #expect(open.takeAnswered(2) != nil && open.takeAnswered(2) == nil)
    #expect(add(&open) == 4)
    #expect(open.firstUnsent()?.number == 4)
  }

  @Test func whatWasNotSentInTimeNeverIs() {
    var open = OpenRequests()
    add(&open, deadline: 100, changesSomething: true)
    open.markSent(1)
    add(&open, deadline: 50)
    add(&open, deadline: 200)
    #expect(open.earliestDeadline == at(50) && open.takeExpired(now: at(49)).isEmpty)
    let first = open.takeExpired(now: at(50))
    #expect(first.map(\.wasSent) == [false] && open.earliestDeadline == at(100))
    #expect(open.firstUnsent()?.number == 3)
    let second = open.takeExpired(now: at(150))
    #expect(second.map(\.wasSent) == [true] && second.map(\.changesSomething) == [true])
    #expect(open.takeExpired(now: at(1_000)).count == 1 && open.firstUnsent() == nil)
    #expect(open.earliestDeadline == .distantFuture)
  }

  @Test func theirNumberIsBounded() {
    var open = OpenRequests()
    for _ in 0..<OpenRequests.maximumCount { add(&open) }
    #expect(add(&open) == nil)
    open.markSent(1)
    #expect(add(&open) == nil, "it still waits for its answer")
    _ = open.takeAnswered(1)
    #expect(add(&open) != nil)
  }

  @Test func theirBytesAreBounded() {
    var open = OpenRequests()
    #expect(add(&open, bytes: OpenRequests.maximumBytes + 1, deadline: 10) != nil, "one alone may be of any size")
    #expect(add(&open, bytes: 1) == nil)
    _ = open.takeExpired(now: at(10))
    #expect(add(&open, bytes: OpenRequests.maximumBytes - 1) != nil && add(&open, bytes: 1) != nil)
    #expect(add(&open, bytes: 1) == nil)
    #expect(open.takeAll().count == 2 && add(&open, bytes: 1) != nil)
  }
}
