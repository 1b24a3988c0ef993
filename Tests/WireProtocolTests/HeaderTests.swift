import PipelineModel
import PluginTestKit
import Testing

@testable import WireProtocol

@Suite struct HeaderTests {
  private func reader(_ bytes: [UInt8]) -> HeaderReader { HeaderReader([0x43, 0x54, 1, 1] + bytes) }

  private static let numbers: [(UInt64, [UInt8])] = [
    (0, [0]), (127, [0x7f]), (128, [0x80, 1]), (300, [0xac, 2]), (.max, Array(repeating: 0xff, count: 9) + [1]),
  ]

  @Test(arguments: numbers)
  func numbersAreLEB128(number: UInt64, bytes: [UInt8]) throws {
    var writer = HeaderWriter(.announcement)
    writer.put(number)
    #expect(Array(writer.bytes.dropFirst(4)) == bytes)
    var reader = reader(bytes)
    #expect(try reader.number() == number)
    try reader.finish()
  }

  @Test(arguments: [Int64(0), -1, 1, .min, .max, -8, 1_800_000_000_000])
  func signedNumbersComeBack(number: Int64) throws {
    var writer = HeaderWriter(.announcement)
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
    #expect(try Prologue.kind(of: [0x43, 0x54, 1, 64]) == .enqueue)
    for frame in [[], [0x43, 0x54, 1], [0x44, 0x54, 1, 64], [0x43, 0x54, 2, 64], [0x43, 0x54, 1, 2]] as [[UInt8]] {
      #expect(throws: WireError.self) { _ = try Prologue.kind(of: frame) }
    }
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
  }
}

@Suite struct MessageTests {
  private static let worker = WorkerID("worker-1")
  private static let job = JobID("job-1")

  /// Each kind with a decoder that re-encodes.
  private func messages() throws -> [(bytes: [UInt8], again: ([UInt8]) throws -> [UInt8])] {
    let worker = try #require(Self.worker)
    let job = try #require(Self.job)
    let token = LeaseToken(1 << 50)
    let error = JobError(type: "T", message: "m", location: "l:1", standardErrorTail: "tail\n")
    let report = AttemptReport(
      job: job, token: token, outcome: .failed, startedAt: Timestamp(milliseconds: 5), durationMicroseconds: 6,
      hasInstructions: true, retryAfterMilliseconds: 7, plugin: "0123456789ab", error: error)
    return [
      (
        EnqueueRequest(
          request: 9, pipeline: "p", jobs: [.init(id: job, priority: -8, delayMilliseconds: 77)]
        ).encoded(), { try EnqueueRequest(decoding: $0).encoded() }
      ),
      (
        EnqueueReply(request: 9, jobs: [.init(code: .busy, id: nil, message: "busy, try again later")]).encoded(),
        { try EnqueueReply(decoding: $0).encoded() }
      ),
      (Request(request: 1, pipeline: "", verb: "status").encoded(), { try Request(decoding: $0).encoded() }),
      (Reply(request: 1, code: .notFound, message: "é").encoded(), { try Reply(decoding: $0).encoded() }),
      (
        AttemptReports(worker: worker, pipeline: "p", reports: [report]).encoded(),
        { try AttemptReports(decoding: $0).encoded() }
      ),
      (ReportAcknowledgement(tokens: [token]).encoded(), { try ReportAcknowledgement(decoding: $0).encoded() }),
      (Goodbye(worker: worker, reason: "drained").encoded(), { try Goodbye(decoding: $0).encoded() }),
      (DrainOrder(worker: worker).encoded(), { try DrainOrder(decoding: $0).encoded() }),
    ]
  }

  @Test func everyMessageComesBackAsItWasSent() throws {
    for message in try messages() { #expect(try message.again(message.bytes) == message.bytes) }
  }

  @Test func cutAndLengthenedMessagesAreRefused() throws {
    for message in try messages() {
      for length in 4..<message.bytes.count {
        #expect(throws: WireError.self) { _ = try message.again(Array(message.bytes.prefix(length))) }
      }
      #expect(throws: WireError.self) { _ = try message.again(message.bytes + [0]) }
    }
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
