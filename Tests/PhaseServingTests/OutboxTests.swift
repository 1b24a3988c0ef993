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

  private func tokens(_ message: Outbox.Message?) throws -> [UInt64] {
    try AttemptReports(decoding: try #require(message).frames.first ?? []).reports.map(\.token.number)
  }

  private let start = Instant(milliseconds: 1_000_000)

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

  @Test func `One that waits to be sent again is settled by an answer that comes late`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    for token in 1...3 { outbox.add(try report(UInt64(token)), instructions: nil, pipeline: "p") }
    _ = outbox.take(worker: worker, now: start)
    outbox.expire(now: start, all: true)
    #expect(Set(outbox.tokens) == [LeaseToken(1), LeaseToken(2), LeaseToken(3)])
    outbox.settle([LeaseToken(1), LeaseToken(3), LeaseToken(9)])
    #expect(outbox.count == 1 && outbox.tokens == [LeaseToken(2)])
    #expect(try tokens(outbox.take(worker: worker, now: start)) == [2])
    outbox.settle([LeaseToken(2)])
    #expect(outbox.isEmpty && outbox.bytes == 0)
  }

  @Test func `A report that is made twice leaves nothing behind`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    for _ in 1...2 {
      outbox.add(try report(1), instructions: nil, pipeline: "p")
      _ = outbox.take(worker: worker, now: start)
    }
    outbox.settle([LeaseToken(1)])
    #expect(outbox.isEmpty && outbox.bytes == 0)
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
      let message = try #require(taken).frames
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
    var sent: [UInt64] = []
    while let message = outbox.take(worker: worker, now: start) {
      let tokens = try tokens(message)
      #expect(tokens.count <= AttemptReports.maximumReports)
      #expect(message.frames[0].count <= AttemptReports.maximumHeaderBytes)
      sent += tokens
    }
    #expect(sent == Array(1...2_500))
  }

  @Test func `Crashes with long output keep below what a coordinator takes of one header`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    for token in 1...9 {
      var crash = try report(UInt64(token))
      crash.outcome = .crashed
      crash.error = JobError(
        type: "SIGABRT", message: String(repeating: "m", count: 100_000), location: "t",
        standardErrorTail: String(repeating: "ü", count: 100_000) + "the end")
      outbox.add(crash, instructions: nil, pipeline: "p")
    }
    var sent: [AttemptReport] = []
    while let message = outbox.take(worker: worker, now: start, payloadLimit: 65_536) {
      #expect(message.frames[0].count <= AttemptReports.maximumHeaderBytes)
      sent += try AttemptReports(decoding: message.frames[0]).reports
    }
    #expect(sent.map(\.token.number) == Array(1...9))
    #expect(sent.allSatisfy { $0.error?.message.utf8.count == AttemptReports.maximumErrorBytes })
    #expect(sent.allSatisfy { $0.error?.standardErrorTail.hasSuffix("üthe end") == true })
  }

  @Test func `What could not be sent is next again`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    for token in 1...3 { outbox.add(try report(UInt64(token)), instructions: nil, pipeline: "p") }
    let message = outbox.take(worker: worker, now: start)
    outbox.putBack(try #require(message))
    outbox.add(try report(4), instructions: nil, pipeline: "p")
    #expect(try tokens(outbox.take(worker: worker, now: start)) == [1, 2, 3, 4])
  }

  @Test func `The longer nobody answers, the rarer a report is repeated`() throws {
    let worker = try #require(WorkerID("w"))
    var outbox = Outbox()
    outbox.add(try report(1), instructions: nil, pipeline: "p")
    var repeats = 0
    for second in 0..<600 {
      let now = start + Int64(second) * 1_000
      outbox.expire(now: now)
      if outbox.take(worker: worker, now: now) != nil { repeats += 1 }
    }
    #expect((35...50).contains(repeats), "\(repeats)")
    outbox.expire(now: start + 600_000, all: true)
    #expect(outbox.hasUnsent)
  }

  @Test func `It has room for so many reports and bytes, and again when they are settled`() throws {
    var outbox = Outbox()
    let payload = [UInt8](repeating: 0, count: 16 << 20)
    for token in 1...16 { outbox.add(try report(UInt64(token), payload: true), instructions: payload, pipeline: "p") }
    #expect(!outbox.hasRoom)
    outbox.settle([LeaseToken(1), LeaseToken(1)])
    #expect(outbox.hasRoom)
    outbox.settle((2...16).map { LeaseToken($0) })
    #expect(outbox.bytes == 0)
    for token in 1...Outbox.capacity.reports { outbox.add(try report(UInt64(token)), instructions: nil, pipeline: "p") }
    #expect(!outbox.hasRoom)
  }
}
