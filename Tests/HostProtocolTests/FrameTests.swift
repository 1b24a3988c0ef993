import HostProtocol
import Testing

private let result = HostResult(
  status: .retry, error: HostError(message: "busy", type: "Busy", location: "a.c:1", code: -3),
  retryAfterMilliseconds: 9)

private let library = LibraryDescription(
  abiMajor: 1, abiMinor: 2, id: "org.example", version: "1", summary: "ü", build: "c",
  phases: [
    PhaseDescription(
      jobType: "a", version: "1", summary: "", inputSchema: "{}", settingsSchema: "{}", isIdempotent: true)
  ],
  pipelines: [PipelineDescription(name: "p", version: "1", summary: "", definition: "{}", hasHooks: true)])

private let reports: [HostReport] = [
  .begun(revision: .max), .ready(library),
  .refused(HostRefusal(kind: .unknownJobType, message: "no", available: ["a", "b"])),
  .log(token: 7, level: .warning, message: "hm"), .progress(token: 7, fraction: 0.5, note: "half"),
  .finished(token: 7, result, nanoseconds: 0),
  .finished(token: 8, HostResult(status: .ok, output: [0x7b, 0x7d]), nanoseconds: 12_345_678_901),
  .setting(token: 1, name: "storage", value: "memory:"), .hookFinished(token: 1, HostResult(status: .ok)),
  .withdrawn(token: 9),
  .log(token: 7, level: .info, message: "", fields: [HostLogField(name: "file.size-b", value: "3 \"ü\"")]),
  .measured(token: 7, []),
  .measured(
    token: 7,
    [
      HostMeasure(kind: .counter, name: "files_2", value: 1e300), HostMeasure(kind: .gauge, name: "d", value: -0.5),
    ]),
]

private let requests: [HostRequest] = [
  .setup(HostSetup()),
  .setup(HostSetup(environment: ["TOKEN": "ü=\n", "EMPTY": ""], settings: Array(#"{"a":1}"#.utf8))),
  .job(
    HostJob(
      token: .max, jobID: "j", pipeline: "p", attempt: 2, deadlineUnixMilliseconds: -1, instructions: [1, 2, 3])),
  .hook(HostHookCall(token: 1, hook: .initialize)), .hook(HostHookCall(token: 2, hook: .started)),
  .hook(HostHookCall(token: 3, hook: .finished)),
  .hook(
    HostHookCall(token: 4, hook: .finishedJob(jobID: "j", pipeline: "p", state: "dead", instructions: [0x7b, 0x7d]))),
]

private func body(_ frame: [UInt8]) -> FrameBody { frame[4...] }

@Suite struct FrameTests {
  @Test(arguments: [
    HostReport.log(token: 1, level: .info, message: "", fields: [HostLogField(name: "1a", value: "")]),
    .log(token: 1, level: .info, message: "", fields: [HostLogField(name: "a b", value: "")]),
    .log(
      token: 1, level: .info, message: "", fields: Array(repeating: HostLogField(name: "a", value: ""), count: 33)),
    .measured(token: 1, [HostMeasure(kind: .counter, name: "a", value: -1)]),
    .measured(token: 1, [HostMeasure(kind: .gauge, name: "a", value: .infinity)]),
    .measured(token: 1, [HostMeasure(kind: .gauge, name: "A", value: 1)]),
    .measured(token: 1, [HostMeasure(kind: .gauge, name: String(repeating: "a", count: 65), value: 1)]),
    .measured(token: 1, Array(repeating: HostMeasure(kind: .gauge, name: "a", value: 1), count: 65)),
  ])
  func `Names and numbers that carbontube.h does not allow are no frame`(_ report: HostReport) {
    #expect(throws: FrameError.self) { try HostReport(frame: body(report.encoded())) }
  }

  @Test(arguments: reports) func reportsComeBack(_ report: HostReport) throws {
    #expect(try HostReport(frame: body(report.encoded())) == report)
  }

  @Test(arguments: requests) func requestsComeBack(_ request: HostRequest) throws {
    #expect(try HostRequest(frame: body(request.encoded())) == request)
  }

  @Test(arguments: [HostControl.cancel(token: 3), .stop, .withdraw(token: 9)]) func controlComesBack(
    _ control: HostControl
  ) throws {
    #expect(try HostControl(frame: body(control.encoded())) == control)
  }

  @Test(arguments: reports) func everyShorterOrLongerFrameIsRefused(_ report: HostReport) throws {
    let whole = Array(body(report.encoded()))
    for length in 0..<whole.count {
      #expect(throws: FrameError.self) { try HostReport(frame: whole[..<length]) }
    }
    #expect(throws: FrameError.self) { try HostReport(frame: (whole + [0])[...]) }
  }

  @Test func wildBytesAreErrorsAndNothingWorse() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var bytes = (0..<Int.random(in: 1...60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      bytes[0] = UInt8.random(in: 0x80...0x89, using: &random)
      if let report = try? HostReport(frame: bytes[...]) { #expect(Array(body(report.encoded())) == bytes) }
      if let request = try? HostRequest(frame: bytes[...]) { #expect(Array(body(request.encoded())) == bytes) }
    }
  }

  @Test func framesAreCutOutOfTheStreamWhereverItBreaks() throws {
    let stream = reports.flatMap { $0.encoded() }
    for size in [1, 3, 7, 64, stream.count] {
      var buffer = FrameBuffer()
      var found: [HostReport] = []
      for start in stride(from: 0, to: stream.count, by: size) {
        stream[start..<min(start + size, stream.count)].withUnsafeBytes { buffer.append($0) }
        while let frame = try buffer.next() { found.append(try HostReport(frame: frame)) }
      }
      #expect(found == reports)
    }
  }

  @Test(arguments: [[0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [1, 0, 0x50, 1]] as [[UInt8]])
  func impossibleLengthsAreRefusedBeforeTheirBytesCome(_ prefix: [UInt8]) {
    var buffer = FrameBuffer()
    prefix.withUnsafeBytes { buffer.append($0) }
    #expect(throws: FrameError.self) { try buffer.next() }
  }
}
