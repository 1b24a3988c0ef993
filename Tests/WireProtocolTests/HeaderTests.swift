import PipelineModel
import PluginTestKit
import Testing

@testable import WireProtocol

@Suite struct HeaderTests {
  private func reader(_ bytes: [UInt8]) -> HeaderReader { HeaderReader([0x43, 0x54, 2, 34] + bytes) }

  private static let numbers: [(UInt64, [UInt8])] = [
    (0, [0]), (127, [0x7f]), (128, [0x80, 1]), (300, [0xac, 2]), (.max, Array(repeating: 0xff, count: 9) + [1]),
  ]

  @Test(arguments: numbers)
  func numbersAreLEB128(number: UInt64, bytes: [UInt8]) throws {
    var writer = HeaderWriter(.hello)
    writer.put(number)
    #expect(Array(writer.bytes.dropFirst(4)) == bytes)
    var reader = reader(bytes)
    #expect(try reader.number() == number)
  }

  @Test(arguments: [Int64(0), -1, 1, .min, .max, -8, 1_800_000_000_000])
  func signedNumbersComeBack(number: Int64) throws {
    var writer = HeaderWriter(.hello)
    writer.put(signed: number)
    var reader = HeaderReader(writer.bytes)
    #expect(try reader.signed() == number)
  }

  @Test func whatIsNoNumberIsRefused() {
    for bytes in [[], [0x80], Array(repeating: UInt8(0xff), count: 10), Array(repeating: UInt8(0x80), count: 11) + [0]]
    {
      var reader = reader(bytes)
      #expect(throws: WireError.self) { _ = try reader.number() }
    }
  }

  @Test func textsAreCheckedBeforeTheyAreRead() {
    for bytes in [[5, 0x61], [0xff, 0xff, 0xff, 0xff, 0x0f], [1, 0xff], [3, 0x61, 0x62, 0x63]] as [[UInt8]] {
      var reader = reader(bytes)
      #expect(throws: WireError.self) { _ = try reader.text(atMost: 2) }
    }
  }

  @Test func prologuesOfOthersAreRefused() throws {
    #expect(try Prologue.kind(of: [0x43, 0x54, 2, 64]) == .enqueue)
    for frame in [[], [0x43, 0x54, 2], [0x44, 0x54, 2, 64], [0x43, 0x54, 3, 64], [0x43, 0x54, 2, 2]] as [[UInt8]] {
      #expect(throws: WireError.self) { _ = try Prologue.kind(of: frame) }
    }
  }

  @Test(arguments: [UInt8(1), 3]) func whoSpeaksAnotherProtocolIsToldWhichAndWhatToDo(version: UInt8) {
    let error = #expect(throws: WireError.self) { _ = try Prologue.kind(of: [0x43, 0x54, version, 64]) }
    #expect(error?.message == "protocol \(version) is spoken there, protocol 2 here; one side must be upgraded")
  }

  @Test func theExamplesOfTheDocumentationAreWhatIsSent() throws {
    let page = String(decoding: try contents(of: "\(packageFolder)/docs/wire-protocol.md"), as: UTF8.self)
    func example(_ name: String) throws -> [UInt8] {
      let line = try #require(page.split(separator: "\n").first { $0.hasPrefix("\(name) ") && $0.contains(" 43 54 ") })
      return line.split(separator: " ").dropFirst().compactMap { UInt8($0, radix: 16) }
    }
    let request = EnqueueRequest(request: 7, pipeline: "example-one", jobs: [.init(id: nil)])
    #expect(try example("enqueue") == request.encoded())
    let reply = EnqueueReply(request: 7, jobs: [.init(code: .ok, id: JobID("abc"))])
    #expect(try example("enqueueReply") == reply.encoded())
    let topic = MeetingTopic.topic(for: "tcp://*:5050")
    #expect(try example("subscription") == [1] + topic)
    let worker = try #require(WorkerID("w"))
    var hello = Hello(
      worker: worker, instance: 300, jobType: "a", host: "h", processID: 9, concurrency: 1, state: .serving,
      succeeded: 0, failed: 0, plugin: "0123456789ab", pluginFile: "a.so", inFlight: [],
      credit: JobCredit(number: 0, jobs: 0))
    #expect(try example("hello") == hello.encoded())
    let welcome = Welcome(worker: worker, coordinator: "c", pipeline: "p", maximumInstructionsBytes: 4 << 20)
    #expect(try example("welcome") == welcome.encoded())
    let credit = JobCredit(number: 1, jobs: 1, slots: 1)
    #expect(try example("credit") == CreditMessage(worker: worker, credit: credit).encoded())
    #expect(try example("demand") == Demand(worker: worker, waiting: 3, credit: 1).encoded())
    let job = try #require(JobID("j"))
    let order = JobOrder(job: job, token: LeaseToken(5), attempt: 1, timeoutMilliseconds: 0)
    #expect(try example("jobs") == JobOrders(worker: worker, pipeline: "p", jobs: [order], credit: 1).encoded())
    (hello.inFlight, hello.credit) = ([LeaseToken(5)], credit)
    #expect(try example("hello2") == hello.encoded())
    let report = AttemptReport(
      job: job, token: LeaseToken(5), outcome: .succeeded, startedAt: Timestamp(milliseconds: 1),
      durationMicroseconds: 2, hasInstructions: false, plugin: "0123456789ab")
    #expect(try example("results") == AttemptReports(worker: worker, pipeline: "p", reports: [report]).encoded())
    #expect(try example("resultAck") == ReportAcknowledgement(tokens: [LeaseToken(5)]).encoded())
  }
}

@Suite struct MessageTests {
  private typealias Again = ([UInt8]) throws -> [UInt8]

  /// One of each kind, with a decoder that re-encodes.
  /// - Parameter slots: of credits, which older workers do not tell.
  private func messages(slots: Int? = Hello.maximumInFlight / 2) throws -> [(bytes: [UInt8], again: Again)] {
    try ofClients() + ofWorkers(slots: slots) + ofCoordinators()
  }

  private let token = LeaseToken(1 << 50)

  private func ofClients() throws -> [(bytes: [UInt8], again: Again)] {
    let job = try #require(JobID("job-1"))
    let jobs = [
      EnqueueRequest.Job(id: job, priority: -8, delayMilliseconds: 77), EnqueueRequest.Job(id: nil, priority: 7),
    ]
    return [
      (
        EnqueueRequest(request: 9, pipeline: "p", jobs: jobs).encoded(),
        { try EnqueueRequest(decoding: $0).encoded() }
      ),
      (
        EnqueueReply(request: 9, jobs: [.init(code: .busy, id: nil, message: "busy, try again later")]).encoded(),
        { try EnqueueReply(decoding: $0).encoded() }
      ),
      (Request(request: 1, pipeline: "", verb: "status").encoded(), { try Request(decoding: $0).encoded() }),
      (Reply(request: 1, code: .notFound, message: "é").encoded(), { try Reply(decoding: $0).encoded() }),
    ]
  }

  private func ofWorkers(slots: Int?) throws -> [(bytes: [UInt8], again: Again)] {
    let worker = try #require(WorkerID("worker-1"))
    let job = try #require(JobID("job-1"))
    let error = JobError(type: "T", message: "m", location: "l:1", standardErrorTail: "tail\n")
    let report = AttemptReport(
      job: job, token: token, outcome: .failed, startedAt: Timestamp(milliseconds: 5), durationMicroseconds: 6,
      hasInstructions: true, retryAfterMilliseconds: 7, plugin: "0123456789ab", error: error)
    let hello = Hello(
      worker: worker, instance: .max, jobType: "resize", host: "host", processID: 1, concurrency: 2,
      state: .draining, succeeded: 3, failed: 4, plugin: "0123456789ab", pluginFile: "libA.so",
      inFlight: [token, LeaseToken(2)], reason: "no model", isShared: true,
      credit: JobCredit(number: 300, jobs: 128, slots: slots))
    let most = JobCredit(number: .max, jobs: Hello.maximumInFlight, slots: slots)
    let credit = CreditMessage(worker: worker, credit: most)
    return [
      (hello.encoded(), { try Hello(decoding: $0).encoded() }),
      (credit.encoded(), { try CreditMessage(decoding: $0).encoded() }),
      (Goodbye(worker: worker, reason: "drained").encoded(), { try Goodbye(decoding: $0).encoded() }),
      (
        ProgressReport(worker: worker, job: job, token: token, fraction: 0.5, note: "half").encoded(),
        { try ProgressReport(decoding: $0).encoded() }
      ),
      (
        LogLine(worker: worker, job: nil, level: .error, text: "line").encoded(),
        { try LogLine(decoding: $0).encoded() }
      ),
      (
        AttemptReports(worker: worker, pipeline: "p", reports: [report]).encoded(),
        { try AttemptReports(decoding: $0).encoded() }
      ),
      (
        BeganReport(worker: worker, tokens: [token, LeaseToken(.max)]).encoded(),
        { try BeganReport(decoding: $0).encoded() }
      ),
    ]
  }

  private func ofCoordinators() throws -> [(bytes: [UInt8], again: Again)] {
    let worker = try #require(WorkerID("worker-1"))
    let orders = try [true, false].map { isSuspect in
      JobOrder(
        job: try #require(JobID("job-1")), token: token, attempt: 2, timeoutMilliseconds: 3, isSuspect: isSuspect)
    }
    let welcome = Welcome(worker: worker, coordinator: "c", pipeline: "p", maximumInstructionsBytes: 16 << 20)
    let refusal = WorkerRefusal(worker: worker, reason: .idTaken, message: "another worker has that id")
    return [
      (welcome.encoded(), { try Welcome(decoding: $0).encoded() }),
      (refusal.encoded(), { try WorkerRefusal(decoding: $0).encoded() }),
      (Demand(worker: worker, waiting: 20_000, credit: 300).encoded(), { try Demand(decoding: $0).encoded() }),
      (
        JobOrders(worker: worker, pipeline: "p", jobs: orders, credit: 300).encoded(),
        { try JobOrders(decoding: $0).encoded() }
      ),
      (
        LeaseOrder(worker: worker, tokens: [token]).encoded(as: .cancel),
        { try LeaseOrder(decoding: $0).encoded(as: .cancel) }
      ),
      (
        LeaseOrder(worker: worker, tokens: [token]).encoded(as: .recall),
        { try LeaseOrder(decoding: $0).encoded(as: .recall) }
      ),
      (DrainOrder(worker: worker).encoded(), { try DrainOrder(decoding: $0).encoded() }),
      (
        ReleaseOrder(worker: worker, plugin: "0123456789ab").encoded(), { try ReleaseOrder(decoding: $0).encoded() }
      ),
      (
        MeasuresReport(
          worker: worker,
          measures: [
            PhaseMeasure(name: "files", reading: .counter(3)),
            PhaseMeasure(name: "depth", reading: .gauge(latest: 2, lowest: -1, highest: 5)),
          ]
        ).encoded(), { try MeasuresReport(decoding: $0).encoded() }
      ),
      (ReportAcknowledgement(tokens: [token]).encoded(), { try ReportAcknowledgement(decoding: $0).encoded() }),
      (BeginAnswer(tokens: [token]).encoded(), { try BeginAnswer(decoding: $0).encoded() }),
    ]
  }

  @Test func everyKindIsAmongThem() throws {
    let kinds = try messages().map { try Prologue.kind(of: $0.bytes) }
    #expect(Set(kinds) == Set(MessageKind.allCases))
  }

  @Test func everyMessageComesBackAsItWasSent() throws {
    for message in try messages() { #expect(try message.again(message.bytes) == message.bytes) }
  }

  @Test func cutMessagesAreRefused() throws {
    for message in try messages(slots: nil) {
      for length in 4..<message.bytes.count {
        #expect(throws: WireError.self) { _ = try message.again(Array(message.bytes.prefix(length))) }
      }
    }
  }

  /// A later version puts its new fields behind those that are known here, whatever they hold.
  @Test func lengthenedMessagesAreReadAsBefore() throws {
    for message in try messages() {
      for more in [[0], [0xff], [0x80, 0x80], Array("a text".utf8), [UInt8](repeating: 0xff, count: 1_000)] {
        #expect(try message.again(message.bytes + more) == message.bytes)
      }
    }
  }

  /// A code that a later version adds is no reason to give a job up.
  @Test(arguments: [UInt8(8), 128, 255]) func anUnknownReplyCodeMeansTryAgainLater(code: UInt8) throws {
    var reply = HeaderWriter(.reply)
    reply.put(1)
    reply.put(byte: code)
    reply.put("words")
    #expect(try Reply(decoding: reply.bytes) == Reply(request: 1, code: .unavailable, message: "words"))
    var enqueueReply = HeaderWriter(.enqueueReply)
    enqueueReply.put(1)
    enqueueReply.put(1)
    enqueueReply.put(byte: code)
    enqueueReply.put("a")
    enqueueReply.put("words")
    let job = EnqueueReply.Job(code: .unavailable, id: JobID("a"), message: "words")
    #expect(try EnqueueReply(decoding: enqueueReply.bytes).jobs == [job])
  }

  @Test func theKnownReplyCodesAreTheirOwn() {
    for code in ReplyCode.allCases { #expect(ReplyCode(received: code.rawValue) == code) }
  }

  /// Whatever number a client sends, no sum with a time can overflow.
  @Test func delaysAreBounded() throws {
    let longest = EnqueueRequest.maximumDelayMilliseconds
    for (sent, taken): (UInt64, Int64) in [
      (0, 0), (1, 1), (UInt64(longest), longest), (UInt64(longest) + 1, longest), (.max, longest),
    ] {
      var writer = HeaderWriter(.enqueue)
      writer.put(7)
      writer.put("p")
      writer.put(1)
      writer.put("")
      writer.put(signed: 0)
      writer.put(sent)
      #expect(try EnqueueRequest(decoding: writer.bytes).jobs[0].delayMilliseconds == taken)
    }
    #expect(EnqueueRequest.Job(id: nil, delayMilliseconds: .min).delayMilliseconds == 0)
  }
}
