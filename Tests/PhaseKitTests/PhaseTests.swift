import HostProtocol
import HostSupervision
import PluginTestKit
import Testing

/// What authors write in Swift, through a real child.
@Suite struct PhaseTests {
  func puppet(_ what: String, token: UInt64 = 1) throws -> (result: HostResult, before: [HostEvent]) {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "puppet"))
    return try host.result(of: job(#"{"do": "\#(what)"}"#, token: token, attempt: 3, id: "j/7"))
  }

  @Test func seesItsJob() throws {
    let output = try puppet("echo").result.output ?? []
    let text = String(decoding: output, as: UTF8.self)
    #expect(text.contains(#""attempt":3"#))
    #expect(text.contains(#""pipeline":"p""#))
    #expect(text.contains("7"))
  }

  @Test func errorsCarryTypeMessageAndPlace() throws {
    let plain = try puppet("throw").result
    #expect(plain.status == .failed)
    #expect(plain.error == HostError(message: #"Mishap(detail: "slipped")"#, type: "Mishap", location: "puppet"))
    let permanent = try puppet("permanent").result
    #expect(permanent.status == .permanent)
    #expect(permanent.error?.location == "Puppet.swift:7")
    let retry = try puppet("retry").result
    #expect(retry.status == .retry)
    #expect(retry.retryAfterMilliseconds == 1_500)
  }

  @Test func aCancellationNobodyAskedForIsAFailure() throws {
    #expect(try puppet("self-cancel").result.status == .failed)
  }

  @Test func asynchronousCodeMayLeaveItsThread() throws {
    #expect(try puppet("hop").result.output == Array(#"{"sum":42}"#.utf8))
  }

  @Test func theMainActorIsServed() throws {
    #expect(try puppet("main-actor").result.output == Array(#"{"sum":42}"#.utf8))
  }

  @Test func logsAndProgressBelongToTheirJob() throws {
    let before = try puppet("log", token: 9).before
    #expect(
      before.suffix(3) == [
        .log(token: 9, level: .debug, message: "one"), .log(token: 9, level: .warning, message: "two"),
        .progress(token: 9, fraction: 1, note: "said"),
      ])
  }

  @Test func `Fields of a line and measures belong to their job`() throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "puppet"))
    func field(_ name: String, _ value: String) -> HostLogField { HostLogField(name: name, value: value) }
    for token in [UInt64(9), 10] {
      let before = try host.result(of: job(#"{"do": "measure"}"#, token: token)).before
      #expect(
        before.suffix(3) == [
          .log(
            token: token, level: .info, message: "read",
            fields: [field("batch", "7"), field("kind", "a \"b\""), field("size", "3")]),
          .log(token: token, level: .info, message: "plain", fields: [field("batch", "8")]),
          .measured(
            token: token,
            [
              HostMeasure(kind: .counter, name: "bytes", value: 0.5),
              HostMeasure(kind: .gauge, name: "depth", value: 2),
              HostMeasure(kind: .counter, name: "files", value: 3),
            ]),
        ])
    }
  }

  @Test func cancellationWakesASleepingJob() throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "puppet"))
    host.run(job(#"{"do": "wait"}"#, token: 4))
    let outcome = host.wait(upTo: patience) { event -> HostResult? in
      if case .progress(4, _, "waiting") = event { host.cancel(token: 4) }
      if case .finished(4, let result, _) = event { return result }
      return nil
    }
    guard case .value(let result) = outcome else { throw Unexpected("\(outcome)") }
    #expect(result.status == .cancelled)
    // The child lives on.
    #expect(try host.result(of: job(#"{"do": "log"}"#, token: 5)).result.status == .ok)
  }

  @Test func wrongInstructionsNameTheMember() throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "lister"))
    let missing = try host.result(of: job("{}")).result
    #expect(missing.status == .badInput)
    #expect(missing.error?.message == "count is missing")
    let wrong = try host.result(of: job(#"{"count": "x"}"#, token: 2)).result
    #expect(wrong.error?.message == "count is not of type Int")
  }

  @Test(arguments: [
    "18446744073709551616", "123456789012345678901234567890", "1e309", "-1e-400", "9223372036854775807", "-0.0", "0.1",
    "0.12345678901234567890123", #""ü\u0000\/\ud83d\ude00""#, "[1,[],{}]",
  ])
  func anUntypedPhaseHandsOnWhatItGot(_ value: String) throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "puppet"))
    let result = try host.result(of: job(#"{"do": "return", "value": \#(value)}"#)).result
    let expected = value.hasPrefix("\"") ? #""ü\u0000/😀""# : value
    #expect(result.output.map { String(decoding: $0, as: UTF8.self) } == #"{"value":\#(expected)}"#)
  }

  @Test(arguments: ["18446744073709551616", "123456789012345678901234567890", "7", "0.25"])
  func aTypedPhaseHandsOnNumbersOfThirtyDigits(_ value: String) throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "returner"))
    let result = try host.result(of: job(#"{"value": \#(value)}"#)).result
    #expect(result.output.map { String(decoding: $0, as: UTF8.self) } == #"{"value":\#(value)}"#)
  }

  @Test func aNumberThatJSONDoesNotHaveIsAnErrorWithWords() throws {
    let result = try puppet("infinite").result
    #expect(result.status == .internalError)
    #expect(result.error?.message == "its result cannot be written as JSON: inf is no JSON number")
  }

  @Test func aResultThatIsNoObjectIsABug() throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "lister"))
    #expect(try host.result(of: job(#"{"count": 2}"#)).result.status == .internalError)
  }
}
