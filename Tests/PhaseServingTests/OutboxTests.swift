import PipelineModel
import Testing
import WireProtocol

@testable import PhaseServing

@Suite("Reports wait in the outbox until they are acknowledged")
struct OutboxTests {
  private func report(_ token: UInt64, payload: Bool = false) throws -> AttemptReport {
    AttemptReport(
      job: try #require(JobID("job-\(token)")), token: LeaseToken(token), outcome: .succeeded,
      startedAt: Timestamp(milliseconds: 1), durationMicroseconds: 5, hasInstructions: payload, plugin: "abc")
  }

  private func tokens(_ message: [[UInt8]]?) throws -> [UInt64] {
    try AttemptReports(decoding: try #require(message).first ?? []).reports.map(\.token.number)
  }

  private let start = Timestamp(milliseconds: 1_000_000)

  @Test func `A report is sent once, and again only after the patience`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    outbox.add(try report(1), instructions: nil, pipeline: "p")
    #expect(try tokens(outbox.take(worker: worker, now: start)) == [1])
    #expect(outbox.take(worker: worker, now: start) == nil)
    outbox.expire(now: start + (Outbox.patienceMilliseconds - 1))
    #expect(outbox.take(worker: worker, now: start) == nil)
    outbox.expire(now: start + Outbox.patienceMilliseconds)
    #expect(try tokens(outbox.take(worker: worker, now: start + Outbox.patienceMilliseconds)) == [1])
  }

  @Test func `An acknowledged report is never sent again`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    outbox.add(try report(1), instructions: nil, pipeline: "p")
    outbox.add(try report(2), instructions: nil, pipeline: "p")
    outbox.settle([LeaseToken(1)])
    #expect(try tokens(outbox.take(worker: worker, now: start)) == [2])
    outbox.settle([LeaseToken(2)])
    outbox.expire(now: start + 10_000, all: true)
    #expect(outbox.isEmpty)
    #expect(outbox.take(worker: worker, now: start) == nil)
  }

  @Test func `A new coordinator is told everything at once`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    for token in 1...3 { outbox.add(try report(UInt64(token)), instructions: nil, pipeline: "p") }
    _ = outbox.take(worker: worker, now: start)
    outbox.expire(now: start, all: true)
    #expect(try Set(tokens(outbox.take(worker: worker, now: start))) == [1, 2, 3])
  }

  @Test func `Payloads go with their reports, and messages keep within their size`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    for token in 1...3 {
      let payload = [UInt8](repeating: UInt8(token), count: 3 << 20)
      outbox.add(try report(UInt64(token), payload: true), instructions: payload, pipeline: "p")
    }
    for token in 1...3 {
      let taken = outbox.take(worker: worker, now: start)
      let message = try #require(taken)
      #expect(message.count == 2)
      #expect(message[1].first == UInt8(token))
    }
  }

  @Test func `One message speaks of one pipeline`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    outbox.add(try report(1), instructions: nil, pipeline: "p")
    outbox.add(try report(2), instructions: nil, pipeline: "q")
    #expect(try tokens(outbox.take(worker: worker, now: start)) == [1])
    #expect(try tokens(outbox.take(worker: worker, now: start)) == [2])
  }

  @Test func `Many reports go in messages of at most a thousand`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    for token in 1...2_500 { outbox.add(try report(UInt64(token)), instructions: nil, pipeline: "p") }
    var counts: [Int] = []
    while let message = outbox.take(worker: worker, now: start) { counts.append(try tokens(message).count) }
    #expect(counts == [1_000, 1_000, 500])
  }
}
