import HostProtocol
import HostSupervision
import PipelineModel
import Testing
import WireProtocol

@testable import PhaseServing

@Suite("What the end of a run means")
struct RunVerdictTests {
  private func run(_ ending: HostRun.Ending? = nil, instructions: String = #"{"a":1}"#) throws -> HostRun {
    let order = JobOrder(
      job: try #require(JobID("j")), token: LeaseToken(7), attempt: 1, timeoutMilliseconds: 0)
    var run = HostRun(
      assignment: Assignment(order: order, link: 1, serial: 1, pipeline: "p", instructions: Array(instructions.utf8)),
      begun: ClockReading(timestamp: Timestamp(milliseconds: 1), instant: Instant(milliseconds: 1), nanoseconds: 0))
    run.ending = ending
    return run
  }

  private func outcome(_ status: HostStatus, _ ending: HostRun.Ending? = nil) throws -> AttemptOutcome {
    verdict(on: HostResult(status: status), of: try run(ending), jobType: "t", limit: 1_000).outcome
  }

  @Test func `Every status of a phase has one outcome`() throws {
    let expected: [HostStatus: AttemptOutcome] = [
      .ok: .succeeded, .failed: .failed, .permanent: .permanentFailure, .retry: .retryRequested,
      .cancelled: .failed, .badInput: .permanentFailure, .unsupported: .permanentFailure, .internalError: .failed,
    ]
    for status in HostStatus.allCases { #expect(try outcome(status) == expected[status]) }
  }

  @Test func `A run that was told to end is judged by why, unless it finished after all`() throws {
    for status in HostStatus.allCases where status != .ok {
      #expect(try outcome(status, .timeout) == .timedOut)
      #expect(try outcome(status, .cancelled) == .cancelled)
      #expect(try outcome(status, .handBack) == .handedBack)
    }
    #expect(try outcome(.ok, .timeout) == .succeeded)
  }

  @Test func `A result is merged into the instructions`() throws {
    let result = HostResult(status: .ok, output: Array(#"{"b":2.50}"#.utf8))
    let verdict = verdict(on: result, of: try run(), jobType: "t", limit: 1_000)
    #expect(verdict.instructions == Array(#"{"a":1,"b":2.50}"#.utf8))
  }

  @Test func `No result leaves the instructions unchanged`() throws {
    #expect(verdict(on: HostResult(status: .ok), of: try run(), jobType: "t", limit: 1_000).instructions == nil)
  }

  @Test(arguments: ["[1]", "", "{", "7"])
  func `A result that is no object fails for good`(output: String) throws {
    let result = HostResult(status: .ok, output: Array(output.utf8))
    let verdict = verdict(on: result, of: try run(), jobType: "t", limit: 1_000)
    #expect(verdict.outcome == .permanentFailure)
    #expect(verdict.error?.type == "BadResult")
  }

  @Test func `Instructions that outgrow the limit fail for good`() throws {
    let result = HostResult(status: .ok, output: Array(#"{"b":"0123456789"}"#.utf8))
    let verdict = verdict(on: result, of: try run(), jobType: "t", limit: 20)
    #expect(verdict.outcome == .permanentFailure)
    #expect(verdict.error?.message.contains("limit is 20") == true)
  }

  @Test func `A child that ends without a result is a crash with its cause and last words`() throws {
    let exit = HostExit(cause: .signal(4))
    let verdict = verdict(on: exit, of: try run(), jobType: "t", standardErrorTail: "Fatal error: boom")
    #expect(verdict.outcome == .crashed)
    #expect(verdict.error?.type == "SIGILL")
    #expect(verdict.error?.standardErrorTail == "Fatal error: boom")
  }

  @Test func `Leaving with code 0 and no result is a crash too`() throws {
    let verdict = verdict(on: HostExit(cause: .code(0)), of: try run(), jobType: "t", standardErrorTail: "")
    #expect(verdict.outcome == .crashed)
  }

  @Test func `A child killed at its limit timed out, it did not crash`() throws {
    let exit = HostExit(cause: .signal(9), wasKilled: true)
    #expect(verdict(on: exit, of: try run(.timeout), jobType: "t", standardErrorTail: "").outcome == .timedOut)
  }
}
