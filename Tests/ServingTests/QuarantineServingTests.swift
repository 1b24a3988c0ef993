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
    // Three jobs may crash three times each before they are dead, and each third crash ends in quarantine.
    var releases = 0
    for _ in 0..<9 where cluster.finished.count < 4 {
      #expect(quarantine.release(try awaitQuarantine().sha256))
      releases += 1
      while cluster.finished.count < 4, quarantine.records().isEmpty { poll(nil, 0, 20) }
    }
    let states = try cluster.finished.wait(for: 4).map { "\($0.state)" }
    #expect(states.sorted() == ["dead", "dead", "dead", "succeeded"])
    #expect(releases >= 1)
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
