import Glibc
import PipelineModel
import PluginTestKit
import Testing

@testable import PhaseServing

/// The workers of a folder of plugins come and go, and nothing of one that has gone stays.
@Suite(.timeLimit(.minutes(15))) struct FolderServerTests {
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
    let server = try cluster.serve(
      folder: plugin.folder.path + "/plugins", stateFolder: plugin.folder.path + "/state", logger: log.logger)
    try log.wait(for: "no plugin with a phase is here yet")
    try publish(1, plugin)
    try log.wait(for: "hazard: serving")
    for build in 2...4 {
      try publish(build, plugin)
      try log.wait(for: "now serving", times: build - 1)
    }
    for _ in 0..<6_000 where server.serviceCount > 1 { poll(nil, 0, 10) }
    #expect(server.serviceCount == 1)
    let client = try RawClient(cluster.server)
    for _ in 0..<600 where server.serviceCount > 0 {
      for worker in try workers(client) { _ = try client.request("drain", #"{"worker":"\#(worker)"}"#) }
      poll(nil, 0, 100)
    }
    try log.wait(for: "hazard: was drained, the last one here; ending")
    server.waitUntilStopped()
    #expect(server.serviceCount == 0)
  }

  @Test func `All phases of a folder speak to each coordinator by one connection, and are drained one by one`() throws {
    let folder = try TemporaryFolder()
    mkdir(folder.path + "/plugins", 0o755)
    guard symlink("\(buildFolder)/libFixturePlugin.so", folder.path + "/plugins/libFixturePlugin.so") == 0 else {
      throw Unexpected("no link")
    }
    let jobTypes = ["fixture-pattern", "lister", "puppet", "returner"]
    let phases = jobTypes.map { PhaseDefinition(jobType: $0) }
    let clusters = try (0..<2).map { _ in try Cluster(phases: phases, workersPerPhase: 0) }
    defer { for cluster in clusters { cluster.stop() } }
    let log = LogLines()
    let server = try clusters[0].serve(
      folder: folder.path + "/plugins", stateFolder: folder.path + "/state", logger: log.logger, id: "here",
      besides: [clusters[1].server.eventsAddress])
    let clients = try clusters.map { try RawClient($0.server) }
    let all = jobTypes.map { "here/\($0)" }
    for (cluster, client) in zip(clusters, clients) {
      try awaitWorkers(all, client)
      // One is the client's.
      #expect(try connections(to: cluster.server.intakeAddress) == 2)
      #expect(try connections(to: cluster.server.eventsAddress) == 1)
      _ = try client.enqueue([#"{"do":"echo"}"#])
      _ = try cluster.finished.wait(for: 1)
    }
    #expect(try clients[0].request("drain", #"{"worker":"here/puppet"}"#).reply.code == .ok)
    try log.wait(for: "puppet: was drained and is not served again")
    for client in clients { try awaitWorkers(["here/fixture-pattern", "here/lister", "here/returner"], client) }
    #expect(server.serviceCount == 3)
    #expect(try clients[1].request("drain", #"{"worker":"here"}"#).reply.code == .ok)
    server.waitUntilStopped()
    for client in clients { try awaitWorkers([], client) }
  }

  private func awaitWorkers(_ ids: [String], _ client: RawClient) throws {
    var seen: [String] = []
    for _ in 0..<3_000 {
      seen = try workers(client).sorted()
      if seen == ids { return }
      poll(nil, 0, 10)
    }
    throw Unexpected("\(seen) instead of \(ids)")
  }

  /// As the kernel lists them (proc_net(5)): those of this machine that were made to the port and are up.
  private func connections(to address: String) throws -> Int {
    let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
    let digits = String(port, radix: 16, uppercase: true)
    let remote = ":" + String(repeating: "0", count: 4 - digits.count) + digits
    let table = try contents(of: "/proc/net/tcp")
    return String(decoding: table, as: UTF8.self).split(separator: "\n").count { line in
      let words = line.split(separator: " ")
      return words.count > 3 && words[2].hasSuffix(remote) && words[3] == "01"
    }
  }

  /// Ids out of the status, by their member's name: the only thing with an id in it is a worker.
  private func workers(_ client: RawClient) throws -> [String] {
    let text = try client.request("status").json
    return text.split(separator: #""id":""#).dropFirst().compactMap { $0.split(separator: "\"").first.map(String.init) }
  }
}
