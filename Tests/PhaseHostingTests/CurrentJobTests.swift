import CPhaseABI
import Glibc
import HostProtocol
import Testing

@testable import PhaseHosting

/// What a plugin may hand to the callbacks of its job, and when.
@Suite struct CurrentJobTests {
  private let running: CurrentJob
  private let ends: [Int32]

  init() throws {
    var pair: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    ends = pair
    running = CurrentJob(channel: ReportChannel(descriptor: pair[0]))
  }

  private func reports() throws -> [HostReport] {
    for end in ends { _ = shutdown(end, Int32(SHUT_WR)) }
    var stream = FrameStream(descriptor: ends[1])
    var reports: [HostReport] = []
    while let frame = try stream.next() { reports.append(try HostReport(frame: frame)) }
    for end in ends { close(end) }
    return reports
  }

  private func begin(_ token: UInt64) -> Bool { running.begin(token: token, wakeUp: {}) }

  private func set(_ text: String) -> ct_status {
    Array(text.utf8).withUnsafeBytes { running.setResult(ct_bytes(ptr: $0.baseAddress, len: $0.count)) }
  }

  @Test func theFunctionThatCancelsMayUseItsJob() throws {
    let running = running
    let began = running.begin(token: 1) {
      running.log(1, "from cancel")
      _ = running.progress(0.5, note: "")
    }
    #expect(began)
    running.cancel(token: 1)
    running.cancel(token: 1)
    #expect(running.isCancelled)
    #expect(running.end() == .nothing)
    #expect(
      try reports() == [
        .log(token: 1, level: .info, message: "from cancel"), .progress(token: 1, fraction: 0.5, note: ""),
      ])
  }

  @Test func `Counters are added up and gauges replaced, for one job, with 64 names in all`() {
    func measure(_ kind: HostMeasure.Kind, _ name: String, _ value: Double) -> ct_status {
      running.measure(HostMeasure(kind: kind, name: name, value: value))
    }
    #expect(measure(.counter, "early", 1) == CTStatus.badInput)
    #expect(begin(1))
    #expect(measure(.counter, "files", 1) == CTStatus.ok && measure(.counter, "files", 2) == CTStatus.ok)
    #expect(measure(.gauge, "depth", 1) == CTStatus.ok && measure(.gauge, "depth", -2) == CTStatus.ok)
    #expect(measure(.gauge, "files", 1) == CTStatus.badInput)
    for wrong in [-1, .nan, .infinity] as [Double] { #expect(measure(.counter, "files", wrong) == CTStatus.badInput) }
    #expect(measure(.counter, "Files", 1) == CTStatus.badInput)
    _ = running.end()
    #expect(measure(.counter, "files", 1) == CTStatus.badInput)
    #expect(
      running.takeMeasures() == [
        HostMeasure(kind: .gauge, name: "depth", value: -2), HostMeasure(kind: .counter, name: "files", value: 3),
      ])
    #expect(begin(2))
    for number in 0..<62 { #expect(measure(.counter, "n\(number)", 1) == CTStatus.ok) }
    #expect(measure(.counter, "one_too_many", 1) == CTStatus.badInput)
    #expect(measure(.counter, "files", 1) == CTStatus.ok)
    _ = running.end()
    #expect(running.takeMeasures().count == 63 && running.takeMeasures().isEmpty)
  }

  @Test func wildNumbersAreRefusedOrClamped() throws {
    #expect(begin(1))
    #expect(running.progress(.nan, note: "") == CTStatus.badInput)
    #expect(running.progress(.signalingNaN, note: "") == CTStatus.badInput)
    for fraction in [Double.infinity, 1e308, 1.5] { #expect(running.progress(fraction, note: "") == CTStatus.ok) }
    for level in [Int32.min, -1, 4, 256, .max] { running.log(level, "x") }
    let told = try reports()
    #expect(told.prefix(3).allSatisfy { $0 == .progress(token: 1, fraction: 1, note: "") })
    #expect(told.dropFirst(3).allSatisfy { $0 == .log(token: 1, level: .info, message: "x") })
    #expect(told.count == 8)
  }

  @Test func theLastResultCountsAndARefusedOneIsNotForgotten() {
    #expect(begin(1))
    #expect(set(#"{"a":1}"#) == CTStatus.ok)
    #expect(set("7") == CTStatus.badInput)
    #expect(running.end() == .refused("is not a JSON object"))
    #expect(begin(2))
    #expect(set("7") == CTStatus.badInput)
    #expect(set(#" {"a":1e309} "#) == CTStatus.ok)
    #expect(running.end() == .object(Array(#" {"a":1e309} "#.utf8)))
    #expect(begin(3))
    #expect(running.setResult(ct_bytes(ptr: nil, len: .max)) == CTStatus.badInput)
    #expect(running.end() == .refused("is NULL"))
  }

  @Test func successWithARefusedResultIsNone() {
    let error = CallError()
    error.reset()
    let bad = HostError(message: "its result is not a JSON object", type: "BadResult")
    for status in [ct_status(CT_OK), ct_status(CT_BAD_INPUT)] {
      #expect(
        error.result(status, output: .refused("is not a JSON object"))
          == HostResult(status: .internalError, error: bad))
    }
    #expect(error.result(ct_status(CT_FAILED), output: .refused("x")).error?.message == "gave no message")
    for status in [ct_status.min, -1, 8, 256, .max] {
      let result = error.result(status, output: .object([1]))
      #expect(result.status == .internalError && result.output == nil)
      #expect(result.error?.message == "returned the status \(status), which is none")
    }
    error.pointer.pointee.message.len = .max
    error.pointer.pointee.retry_after_ms = .max
    let retry = error.result(ct_status(CT_RETRY))
    #expect(retry.retryAfterMilliseconds == .max)
    #expect(retry.error?.message == "gave no message")
  }
}
