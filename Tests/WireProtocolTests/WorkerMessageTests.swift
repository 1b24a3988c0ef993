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

  @Test func `Measures come back as they were, and what they cannot be is refused`() throws {
    let worker = try #require(WorkerID("w"))
    let good: [PhaseMeasure] = [
      PhaseMeasure(name: "files", reading: .counter(0.5)),
      PhaseMeasure(name: "d", reading: .gauge(latest: 0, lowest: -1e300, highest: 1e300)),
    ]
    let report = MeasuresReport(worker: worker, measures: good)
    #expect(try MeasuresReport(decoding: report.encoded()) == report)
    let bad: [PhaseMeasure] = [
      PhaseMeasure(name: "", reading: .counter(1)), PhaseMeasure(name: "Files", reading: .counter(1)),
      PhaseMeasure(name: String(repeating: "a", count: 65), reading: .counter(1)),
      PhaseMeasure(name: "a\n", reading: .counter(1)), PhaseMeasure(name: "a", reading: .counter(-1)),
      PhaseMeasure(name: "a", reading: .counter(.infinity)),
      PhaseMeasure(name: "a", reading: .gauge(latest: .nan, lowest: 0, highest: 0)),
      PhaseMeasure(name: "a", reading: .gauge(latest: 3, lowest: 0, highest: 2)),
    ]
    for measure in bad {
      let sent = MeasuresReport(worker: worker, measures: good + [measure]).encoded()
      #expect(throws: WireError.self, "\(measure)") { try MeasuresReport(decoding: sent) }
    }
    let many = (0...PhaseMeasure.maximumNames).map { PhaseMeasure(name: "n\($0)", reading: .counter(1)) }
    #expect(throws: WireError.self) {
      try MeasuresReport(decoding: MeasuresReport(worker: worker, measures: many).encoded())
    }
  }

  @Test func `Measures are added up by name, within their bound`() {
    var sums = PhaseMeasures()
    func add(_ name: String, _ reading: PhaseMeasure.Reading) -> Bool {
      sums.add(PhaseMeasure(name: name, reading: reading))
    }
    #expect(sums.isEmpty)
    let counted = [1.0, 2.5].map { add("files", .counter($0)) }
    let measured = [3.0, -1, 2].map { add("depth", .gauge(latest: $0, lowest: $0, highest: $0)) }
    let refused = [add("depth", .counter(1)), add("files", .counter(-1))]
    #expect(counted + measured == [true, true, true, true, true] && refused == [false, false])
    #expect(
      sums.all == [
        PhaseMeasure(name: "depth", reading: .gauge(latest: 2, lowest: -1, highest: 3)),
        PhaseMeasure(name: "files", reading: .counter(3.5)),
      ])
    let most = (0..<2).map { _ in add("files", .counter(.greatestFiniteMagnitude)) }
    #expect(most == [true, false])
    let added = (0..<100).filter { add("n\($0)", .counter(1)) }
    #expect(added.count == PhaseMeasure.maximumNames - 2)
    let again = add("n0", .counter(1))
    #expect(again)
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
