import Glibc
import PipelineModel
import PluginTestKit
import Testing

@testable import PhaseServing

/// The workers of a folder of plugins come and go, and nothing of one that has gone stays.
@Suite(.timeLimit(.minutes(5))) struct FolderServerTests {
  private func publish(_ build: Int, _ plugin: HazardPlugin) throws {
    try plugin.folder.write(plugin.compiled(build: build), to: "draft")
    let folder = plugin.folder.path
    guard rename(folder + "/draft", folder + "/plugins/libhazard.so") == 0 else { throw Unexpected("no rename") }
  }

  @Test func `A worker that was replaced is let go of, and the last one drained ends the service`() throws {
    let plugin = HazardPlugin(folder: try TemporaryFolder())
    mkdir(plugin.folder.path + "/plugins", 0o755)
    let log = LogLines()
    let cluster = try Cluster(phases: [PhaseDefinition(jobType: "hazard")], workersPerPhase: 0)
    defer { cluster.stop() }
    let server = cluster.serve(
      folder: plugin.folder.path + "/plugins", stateFolder: plugin.folder.path + "/state", logger: log.logger)
    try log.wait(for: "no plugin with a phase is here yet")
    try publish(1, plugin)
    try log.wait(for: "hazard: serving")
    for build in 2...4 {
      try publish(build, plugin)
      try log.wait(for: "now serving", times: build - 1)
    }
    for _ in 0..<6_000 where server.workerCount > 1 { poll(nil, 0, 10) }
    #expect(server.workerCount == 1)
    let client = try RawClient(cluster.server)
    for _ in 0..<600 where server.workerCount > 0 {
      for worker in try workers(client) { _ = try client.request("drain", #"{"worker":"\#(worker)"}"#) }
      poll(nil, 0, 100)
    }
    try log.wait(for: "hazard: was drained, the last one here; ending")
    server.waitUntilStopped()
    #expect(server.workerCount == 0)
  }

  /// Ids out of the status, by their member's name: the only thing with an id in it is a worker.
  private func workers(_ client: RawClient) throws -> [String] {
    let text = try client.request("status").json
    return text.split(separator: #""id":""#).dropFirst().compactMap { $0.split(separator: "\"").first.map(String.init) }
  }
}
