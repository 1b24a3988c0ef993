import HostProtocol
import HostSupervision
import PluginTestKit
import Testing

/// The hooks of a pipeline, through a real child.
@Suite struct PipelineTests {
  @Test func initializeChoosesSettings() throws {
    let host = try startHost("libFixturePlugin.so", .pipeline(name: "hooked"))
    let (result, before) = try host.result(of: HostHookCall(token: 1, hook: .initialize))
    #expect(result == HostResult(status: .ok))
    #expect(
      before.suffix(2) == [
        .setting(token: 1, name: "storage", value: "memory:"), .setting(token: 1, name: "colour", value: "green"),
      ])
  }

  @Test func hooksSeeTheirJobAndMayFail() throws {
    let host = try startHost("libFixturePlugin.so", .pipeline(name: "hooked"))
    let started = try host.result(of: HostHookCall(token: 1, hook: .started)).result
    #expect(
      started.error
        == HostError(message: "no bell to ring", type: "BellMissing", location: started.error?.location ?? ""))
    let hook = HostHook.finishedJob(
      jobID: "j", pipeline: "hooked", state: "dead", instructions: Array(#"{"n": 3}"#.utf8))
    let (result, before) = try host.result(of: HostHookCall(token: 2, hook: hook))
    #expect(result.status == .ok)
    #expect(before.last == .log(token: 0, level: .info, message: "j dead 3"))
  }

  @Test func hooksThatAreNotWrittenSaySo() throws {
    let host = try startHost("libFixturePlugin.so", .pipeline(name: "hooked"))
    #expect(try host.result(of: HostHookCall(token: 1, hook: .finished)).result.status == .unsupported)
  }

  @Test func definitionsCarryTheSettingsOfTheirPhases() throws {
    let host = try startHost("libFixturePlugin.so", .scan)
    guard case .value(.success(let library)) = host.waitUntilReady(upTo: patience) else {
      throw Unexpected(host.standardErrorTail())
    }
    #expect(
      library.pipelines.map(\.definition) == [
        #"{"name":"hooked","phases":[{"attempts":5,"job_type":"puppet","timeout_seconds":9},"#
          + #"{"backoff_seconds":0.2,"crashes":2,"job_type":"lister","maximum_backoff_seconds":60,"#
          + #""timeout_seconds":0.5}]}"#,
        #"{"name":"heard","phases":[{"attempts":1,"job_type":"puppet"}]}"#,
        #"{"name":"patterned","phases":[{"job_type":"fixture-pattern"}]}"#,
        #"{"name":"puppets","phases":[{"job_type":"puppet"}]}"#,
      ])
  }
}
