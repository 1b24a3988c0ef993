import Testing
import WireProtocol

@Suite("Workers find coordinators by what these subscribe to")
struct MeetingTopicTests {
  private func frame(_ first: UInt8, _ address: String) -> [UInt8] { [first] + MeetingTopic.topic(for: address) }

  private static let addresses = [
    "tcp://127.0.0.1:5050", "tcp://[::1]:1", "tcp://*:5050", "tcp://0.0.0.0:65535", "ipc:///tmp/jobs",
  ]

  @Test(arguments: addresses) func `A subscription that begins and ends tells the address`(address: String) {
    #expect(MeetingTopic.subscription(in: frame(1, address)) == .begun(address: address))
    #expect(MeetingTopic.subscription(in: frame(0, address)) == .ended(address: address))
  }

  @Test func `A topic is four bytes and the address`() {
    #expect(MeetingTopic.topic(for: "ipc://a") == [0x43, 0x54, 0x41, 2] + Array("ipc://a".utf8))
  }

  @Test func `Coordinators of protocol 1 are known by theirs`() {
    #expect(MeetingTopic.subscription(in: [1, 0x43, 0x54, 1]) == .olderProtocol)
    #expect(MeetingTopic.subscription(in: [0, 0x43, 0x54, 1]) == nil)
    #expect(MeetingTopic.subscription(in: [1] + MeetingTopic.olderEvents) == .olderProtocol)
  }

  @Test func `What is no coordinator's subscription is passed over`() {
    let good = frame(1, "tcp://127.0.0.1:5050")
    var garbage: [[UInt8]] = [
      [], [0], [1], [2], [1, 0x43], [1, 0x43, 0x54], [1, 0x43, 0x54, 1, 1], [1, 0x43, 0x54, 2],
      [1, 0x43, 0x54, 0x41, 2],
      [2] + good.dropFirst(), [0xff] + good.dropFirst(), Array(good.dropFirst()), good + [0xff], good + [0x20],
      good + [0],
      // A topic of a later protocol.
      [1, 0x43, 0x54, 0x41, 3] + good.dropFirst(5),
    ]
    for address in [
      "", "127.0.0.1:5050", "tcp://", "tcp://:5050", "tcp://127.0.0.1", "tcp://127.0.0.1:0", "tcp://127.0.0.1:65536",
      "tcp://127.0.0.1:*", "tcp://a b:5050", "tcp://a/b:5050", "udp://127.0.0.1:5050", "ipc://",
    ] {
      garbage.append(frame(1, address))
      garbage.append(frame(0, address))
    }
    for frame in garbage { #expect(MeetingTopic.subscription(in: frame) == nil, "\(frame)") }
  }

  @Test func `An address is bounded`() {
    func ofBytes(_ count: Int) -> String { "ipc://" + String(repeating: "a", count: count - 6) }
    let longest = ofBytes(MeetingTopic.maximumAddressBytes)
    #expect(MeetingTopic.subscription(in: frame(1, longest)) == .begun(address: longest))
    #expect(MeetingTopic.subscription(in: frame(1, ofBytes(MeetingTopic.maximumAddressBytes + 1))) == nil)
  }
}

@Suite("Clients of protocol 1 are refused in their own words")
struct OlderProtocolTests {
  private let message = "upgrade the client"

  private func older(_ header: [UInt8], _ version: UInt8 = 1) -> [UInt8] {
    var header = header
    header[2] = version
    return header
  }

  @Test func `A request is answered with its number, the message and an empty object`() throws {
    let request = older(Request(request: 300, pipeline: "p", verb: "status").encoded())
    let answer = try #require(OlderProtocol.refusal(of: request, message: message))
    #expect(answer.count == 2)
    #expect(answer[0].prefix(4) == [0x43, 0x54, 1, 81])
    #expect(try Reply(decoding: answer[0]) == Reply(request: 300, code: .invalid, message: message))
    #expect(answer[1] == Array("{}".utf8))
  }

  @Test func `An enqueue is answered for each of its jobs`() throws {
    let jobs = Array(repeating: EnqueueRequest.Job(id: nil), count: 3)
    let request = older(EnqueueRequest(request: 9, pipeline: "p", jobs: jobs).encoded())
    let answer = try #require(OlderProtocol.refusal(of: request, message: message))
    #expect(answer.count == 1)
    #expect(answer[0].prefix(4) == [0x43, 0x54, 1, 80])
    let refused = EnqueueReply.Job(code: .invalid, id: nil, message: message)
    #expect(try EnqueueReply(decoding: answer[0]) == EnqueueReply(request: 9, jobs: [refused, refused, refused]))
  }

  @Test func `Nothing else is answered`() throws {
    let request = Request(request: 1, pipeline: "p", verb: "status").encoded()
    for version in [UInt8(0), 2, 3] { #expect(OlderProtocol.refusal(of: older(request, version), message: "") == nil) }
    var tooMany = HeaderWriter(.enqueue)
    tooMany.put(1)
    tooMany.put("p")
    tooMany.put(EnqueueRequest.maximumJobs + 1)
    let cut = older(EnqueueRequest(request: 1, pipeline: "p", jobs: [.init(id: nil)]).encoded()).prefix(6)
    for frame in [
      [], [0x43], [0x43, 0x54, 1], [0x43, 0x54, 1, 65], [0x43, 0x54, 1, 65, 0x80], [0x43, 0x54, 1, 1, 7],
      [0x43, 0x54, 1, 250, 7], [0x43, 0x54, 1, 32, 7], older(tooMany.bytes), Array(cut),
    ] as [[UInt8]] {
      #expect(OlderProtocol.refusal(of: frame, message: message) == nil, "\(frame)")
    }
  }
}
