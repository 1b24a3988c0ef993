import HostProtocol
import HostSupervision
import PluginTestKit
import Testing

/// What a plugin does to its own process reaches the parent as a cause, never as a result.
@Suite struct CrashTests {
  @Test(arguments: [
    ("trap", "SIGILL: Swift trap (fatalError, precondition, overflow)"),
    ("abort", "SIGABRT: abort(), an uncaught C++ exception, or a Rust panic that left a C function"),
    ("exit", "exited with code 0 without a result"),
  ])
  func tellsTheCause(_ how: String, _ explanation: String) throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "puppet"))
    host.run(job(#"{"do": "\#(how)"}"#, token: 5))
    #expect(try host.exit().explanation == explanation)
    #expect(host.outstanding == [5])
    if how == "trap" { #expect(host.standardErrorTail().contains("asked to trap")) }
  }

  @Test func keepsWhatIsPrintedOutOfTheResults() throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "puppet"))
    #expect(try host.result(of: job(#"{"do": "print"}"#)).result == HostResult(status: .ok))
    _ = host.finish()
    #expect(host.standardErrorTail() == "on stdout\n")
  }

  @Test func resultsBeforeACrashCount() throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "puppet"))
    host.run(job(#"{"do": "log"}"#, token: 1))
    host.run(job(#"{"do": "abort"}"#, token: 2))
    var finished: [UInt64] = []
    let end = host.wait(upTo: patience) { event -> Bool? in
      if case .finished(let token, _, _) = event { finished.append(token) }
      return nil
    }
    #expect(finished == [1])
    #expect(host.outstanding == [2])
    guard case .ended = end else { throw Unexpected("\(end)") }
  }
}
