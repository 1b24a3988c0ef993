import HostProtocol
import HostSupervision
import PluginTestKit
import Testing

/// A job that waits in a child can be had back, and it is known that it did not begin.
@Suite struct WithdrawTests {
  @Test func whatWaitsComesBackAndNeverRuns() throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "puppet"))
    host.run(job(#"{"do": "wait"}"#, token: 1))
    for token in 2...9 { host.run(job(#"{"do": "log"}"#, token: UInt64(token))) }
    for token in 2...8 { host.withdraw(token: UInt64(token)) }
    var (withdrawn, finished, logs): ([UInt64], [UInt64], Int) = ([], [], 0)
    _ = host.wait(upTo: patience) { event -> Bool? in
      switch event {
      case .withdrawn(let token):
        withdrawn.append(token)
        if withdrawn.count == 7 { host.cancel(token: 1) }
      case .log(let token, _, _, _): if token != 9 { logs += 1 }
      case .finished(let token, _, _):
        finished.append(token)
        if token == 9 { return true }
      default: break
      }
      return nil
    }
    #expect(withdrawn == Array(2...8))
    #expect(finished == [1, 9])
    #expect(host.outstanding.isEmpty)
    #expect(logs == 0)
  }

  @Test func whatHasBegunIsNotGivenBack() throws {
    let host = try startHost("libFixturePlugin.so", .phase(jobType: "puppet"))
    let first = try host.result(of: job(#"{"do": "echo"}"#, token: 1))
    #expect(first.result.status == .ok)
    host.withdraw(token: 1)
    #expect(try host.result(of: job(#"{"do": "echo"}"#, token: 2)).result.status == .ok)
  }
}
