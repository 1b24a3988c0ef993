import Glibc
import PipelineModel
import PluginCatalog
import PluginTestKit
import Testing

/// A build that crashes on one job after another stops being run, and goes on when it is released.
@Suite struct QuarantineServingTests {
  @Test func aCrashingBuildWaitsForItsReleaseAndLosesNothing() throws {
    let folder = try TemporaryFolder()
    let state = folder.path + "/state"
    let cluster = try Cluster(phases: [PhaseDefinition(jobType: "puppet")], workersPerPhase: 0)
    defer { cluster.stop() }
    try cluster.addWorker("puppet", quarantineAfter: 3, stateFolder: state)
    let client = try RawClient(cluster.server)
    _ = try client.enqueue(Array(repeating: #"{"do": "abort"}"#, count: 3))
    let quarantine = Quarantine(stateFolder: state)
    func awaitQuarantine() throws -> Quarantine.Record {
      for _ in 0..<3_000 {
        if let record = quarantine.records().first { return record }
        poll(nil, 0, 20)
      }
      throw Unexpected("no quarantine")
    }
    let record = try awaitQuarantine()
    #expect(record.reason.contains("SIGABRT"))
    #expect(record.history.jobCount == 3)
    _ = try client.enqueue([#"{"do": "echo"}"#])
    // The same jobs crash on, twice each until they are dead, and do not count.
    let released = quarantine.release(try awaitQuarantine().sha256, now: Timestamp.now().milliseconds)
    #expect(released.map(\.history.jobCount) == [3])
    let states = try cluster.finished.wait(for: 4).map { "\($0.state)" }
    #expect(states.sorted() == ["dead", "dead", "dead", "succeeded"])
    #expect(quarantine.records().isEmpty)
  }

  @Test func `A release by way of the coordinator reaches workers of that build with a state folder of their own`()
    throws
  {
    let folder = try TemporaryFolder()
    let state = folder.path + "/elsewhere"
    let cluster = try Cluster(phases: [PhaseDefinition(jobType: "puppet")], workersPerPhase: 0)
    defer { cluster.stop() }
    try cluster.addWorker("puppet", quarantineAfter: 3, stateFolder: state)
    let client = try RawClient(cluster.server)
    _ = try client.enqueue(Array(repeating: #"{"do": "abort"}"#, count: 3))
    let quarantine = Quarantine(stateFolder: state)
    for _ in 0..<3_000 where quarantine.records().isEmpty { poll(nil, 0, 20) }
    let build = try #require(quarantine.records().first).sha256.prefix(12)
    let others = String(build.map { $0 == "0" ? "1" : "0" })
    #expect(try client.request("release", #"{"plugin":"\#(others)"}"#).reply.code == .notFound)
    for wrong in [#"{}"#, #"{"plugin":"abc"}"#, #"{"plugin":"not-a-hash"}"#, #"{"plugin":null}"#] {
      #expect(try client.request("release", wrong).reply.code == .invalid, "\(wrong)")
    }
    #expect(!quarantine.records().isEmpty)
    let answer = try client.request("release", #"{"plugin":"\#(build)","phase":"puppet"}"#)
    #expect(answer.reply.code == .ok && answer.json.contains(#""plugin":"\#(build)""#), "\(answer)")
    #expect(try cluster.finished.wait(for: 3).allSatisfy { $0.state == .dead })
    #expect(quarantine.records().isEmpty)
  }

  /// One kind of bad input stops the phase that it is bad for, and no other phase of the same file.
  @Test func otherPhasesOfTheSameBuildGoOn() throws {
    let folder = try TemporaryFolder()
    let state = folder.path + "/state"
    let cluster = try Cluster(
      phases: [PhaseDefinition(jobType: "returner"), PhaseDefinition(jobType: "puppet")], workersPerPhase: 0)
    defer { cluster.stop() }
    try cluster.addWorker("returner", quarantineAfter: 3, stateFolder: state)
    try cluster.addWorker("puppet", quarantineAfter: 3, stateFolder: state)
    let client = try RawClient(cluster.server)
    _ = try client.enqueue(Array(repeating: #"{"do": "abort", "value": 1}"#, count: 3))
    let quarantine = Quarantine(stateFolder: state)
    for _ in 0..<3_000 where quarantine.records().isEmpty { poll(nil, 0, 20) }
    #expect(quarantine.records().map(\.jobType) == ["puppet"])
    _ = try client.enqueue([#"{"do": "echo", "value": 1}"#])
    // It passes the first phase, and waits for the second.
    for _ in 0..<3_000 {
      if try client.request("status").json.contains(#""note":"impaired: quarantined: build "#) { break }
      poll(nil, 0, 20)
    }
    let status = try client.request("status").json
    #expect(status.contains("crashed on 3 jobs") && status.contains("carbontube plugins release"), "\(status)")
    for record in quarantine.records() { _ = quarantine.release(record.sha256, now: Timestamp.now().milliseconds) }
    let states = try cluster.finished.wait(for: 4).map { "\($0.state)" }
    #expect(states.sorted() == ["dead", "dead", "dead", "succeeded"])
  }

  /// What was said of it before, "SIGKILL: killed from outside", blamed nobody, and all jobs died of it.
  @Test func aBuildThatBreaksItsChannelIsBlamedAndQuarantined() throws {
    let folder = try TemporaryFolder()
    let state = folder.path + "/state"
    let cluster = try Cluster(phases: [PhaseDefinition(jobType: "unruly")], workersPerPhase: 0)
    defer { cluster.stop() }
    try cluster.addWorker("unruly", library: compileUnrulyPlugin(in: folder), quarantineAfter: 3, stateFolder: state)
    let client = try RawClient(cluster.server)
    _ = try client.enqueue([#"{"do":"close-channel"}"#, #"{"do":"junk"}"#, #"{"do":"close-all"}"#])
    let quarantine = Quarantine(stateFolder: state)
    for _ in 0..<3_000 where quarantine.records().isEmpty { poll(nil, 0, 20) }
    let record = try #require(quarantine.records().first)
    #expect(record.reason.contains("the plugin broke the channel to its worker"), "\(record.reason)")
  }
}
