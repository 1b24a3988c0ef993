import PipelineModel
import Testing
import WireProtocol

@Suite("What a worker and a coordinator say to each other comes back as it was")
struct WorkerMessageTests {
  private func hello(
    reason: String = "", isShared: Bool = false, credit: JobCredit = JobCredit(number: 1, jobs: 2)
  ) throws -> Hello {
    Hello(
      worker: try #require(WorkerID("w")), instance: 7, jobType: "a", host: "h", processID: 1, concurrency: 2,
      state: .starting, succeeded: 3, failed: 4, plugin: "0123456789ab", pluginFile: "libA.so",
      inFlight: [LeaseToken(5)], reason: reason, isShared: isShared, credit: credit)
  }

  @Test func `A hello carries its reason, cut to its bound`() throws {
    for reason in ["", "no model"] {
      #expect(try Hello(decoding: try hello(reason: reason).encoded()) == hello(reason: reason))
    }
    let long = try Hello(decoding: try hello(reason: String(repeating: "ü", count: 9_999)).encoded())
    #expect(long.reason.utf8.count == Hello.maximumReasonBytes)
  }

  @Test func `A hello tells of a worker that is shared, and of its credit`() throws {
    for isShared in [true, false] {
      for credit in [
        JobCredit(number: 0, jobs: 0), JobCredit(number: .max, jobs: Hello.maximumInFlight),
        JobCredit(number: 3, jobs: 0, slots: 0), JobCredit(number: 4, jobs: 128, slots: 2),
      ] {
        let sent = try hello(isShared: isShared, credit: credit)
        #expect(try Hello(decoding: sent.encoded()) == sent)
      }
    }
  }

  @Test func `A credit beyond the bound is refused`() throws {
    let tooMuch = JobCredit(number: 1, jobs: Hello.maximumInFlight + 1)
    let sent = try hello(credit: tooMuch).encoded()
    #expect(throws: WireError.self) { try Hello(decoding: sent) }
    let message = CreditMessage(worker: try #require(WorkerID("w")), credit: tooMuch)
    #expect(throws: WireError.self) { try CreditMessage(decoding: message.encoded()) }
    let manySlots = JobCredit(number: 1, jobs: 1, slots: Hello.maximumInFlight / 2 + 1)
    let lent = CreditMessage(worker: message.worker, credit: manySlots)
    #expect(throws: WireError.self) { try CreditMessage(decoding: lent.encoded()) }
  }

  @Test func `A hello of no slots, of too many, or in a state that is none, is refused`() throws {
    for (concurrency, isGood) in [(0, false), (1, true), (2_048, true), (2_049, false)] {
      var sent = try hello()
      sent.concurrency = concurrency
      let bytes = sent.encoded()
      #expect((try? Hello(decoding: bytes)) == (isGood ? sent : nil))
    }
    // Behind the prologue, the id, the instance, the minor version, the job type, the host, the process, the slots.
    let position = 4 + 2 + 1 + 1 + 2 + 2 + 1 + 1
    for state in UInt8(0)...5 {
      var bytes = try hello().encoded()
      bytes[position] = state
      #expect((try? Hello(decoding: bytes))?.state == WorkerState(rawValue: state))
    }
  }

  @Test func `A hello and a welcome tell the minor version of whoever sends them`() throws {
    var sent = try hello()
    sent.minorVersion = 300
    #expect(try Hello(decoding: sent.encoded()).minorVersion == 300)
    var welcome = Welcome(
      worker: sent.worker, coordinator: "c", pipeline: "p", maximumInstructionsBytes: 1 << 30)
    #expect(try Welcome(decoding: welcome.encoded()) == welcome)
    welcome.minorVersion = 300
    #expect(try Welcome(decoding: welcome.encoded()).minorVersion == 300)
  }

  @Test func `A refusal for a reason of a later version is one all the same`() throws {
    let refusal = WorkerRefusal(worker: try #require(WorkerID("w")), reason: .noSuchPhase, message: "no phase 'a'")
    #expect(try WorkerRefusal(decoding: refusal.encoded()) == refusal)
    var later = refusal.encoded()
    later[6] = 77
    let read = try WorkerRefusal(decoding: later)
    #expect(read.reason == .other)
    #expect(read.message == "no phase 'a'")
    let long = WorkerRefusal(worker: refusal.worker, reason: .idTaken, message: String(repeating: "ü", count: 9_999))
    #expect(try WorkerRefusal(decoding: long.encoded()).message.utf8.count == 1_024)
  }

  @Test func `A job order tells of a job that was lost before, and of the credit it is sent under`() throws {
    let jobs = try [true, false].map { isSuspect in
      JobOrder(
        job: try #require(JobID("j")), token: LeaseToken(1), attempt: 2, timeoutMilliseconds: 3, isSuspect: isSuspect)
    }
    let orders = JobOrders(worker: try #require(WorkerID("w")), pipeline: "p", jobs: jobs, credit: 9)
    #expect(try JobOrders(decoding: orders.encoded()) == orders)
    var odd = orders.encoded()
    odd[odd.count - 2] = 2
    #expect(throws: WireError.self) { try JobOrders(decoding: odd) }
  }

  @Test func `The question whether jobs begin, and its answer`() throws {
    let report = BeganReport(worker: try #require(WorkerID("w")), tokens: [LeaseToken(7), LeaseToken(.max)])
    #expect(try Prologue.kind(of: report.encoded()).rawValue == 33)
    #expect(try BeganReport(decoding: report.encoded()) == report)
    let answer = BeginAnswer(tokens: report.tokens)
    #expect(try Prologue.kind(of: answer.encoded()).rawValue == 49)
    #expect(try BeginAnswer(decoding: answer.encoded()) == answer)
  }
}
