import CarbonTube
import Foundation
import PluginTestKit
import Testing

/// What README.md shows of programs that embed CarbonTube.
@Suite("Embedding", .timeLimit(.minutes(5)))
struct EmbeddingTests {
  @Test func `A program embeds a coordinator, a worker and a client, and ends by itself`() async throws {
    let temporary = try TemporaryFolder()
    let hashing = try await Hashing(in: temporary.path, plugins: buildFolder)
    #expect(hashing.state == .succeeded)
    let sum = try Program("/usr/bin/sha1sum", ["/etc/hostname"], in: temporary.path).end().output
    #expect(sum.hasPrefix(hashing.hash) && hashing.hash.count == 40)
    withExtendedLifetime(temporary) {}
  }

  @Test func `The manifest that README shows names what this package has`() throws {
    let readme = ReadmeTests()
    let manifest = try #require(
      try readme.blocks("swift", in: readme.document("README.md")).first { $0.contains("import PackageDescription") })
    let place = try TemporaryFolder()
    try Data(manifest.utf8).write(to: URL(filePath: place.path + "/Package.swift"))
    let end = try Program("/usr/bin/env", ["swift", "package", "dump-package"], in: place.path).end()
    #expect(end.status == 0, "\(end)")
    let described = try JSONDecoder().decode(Manifest.self, from: Data(end.output.utf8))
    let product = try #require(described.targets.first?.dependencies.first?.product)
    #expect(described.targets[0].type == "executable" && product[1] == "carbontube")
    // A dependency on a product that a package does not have is refused only when it is resolved, which takes long.
    let own = try readme.document("Package.swift")
    #expect(try own.contains(".library(name: \"\(#require(product[0]))\"") && own.contains("name: \"carbontube\","))
  }

  private struct Manifest: Decodable {
    struct Target: Decodable {
      struct Dependency: Decodable {
        /// Its name, its package's name, and what else may be said about it.
        var product: [String?]
      }

      var type: String
      var dependencies: [Dependency]
    }

    var targets: [Target]
  }
}

private struct Hashing {
  let state: JobState
  let hash: String

  /// README's lines, but for the folders: what it shows must end by itself.
  init(in folder: String, plugins: String) async throws {
    struct Hashed: Decodable { var hash: String }

    var settings = PipelineServerSettings()
    settings.intakeAddress = "tcp://127.0.0.1:*"
    settings.eventsAddress = "tcp://127.0.0.1:*"
    let server = try PipelineServer(
      name: "hashing", phases: ["calculate-hash"], storage: try jobStore(at: "sqlite:\(folder)/hashing.db"),
      settings: settings)
    server.start()

    var served = PhaseServerSettings(library: "\(plugins)/libHashFile.so", jobType: "calculate-hash")
    served.eventsAddress = server.eventsAddress
    let worker = try await PhaseServer(served)
    worker.start()

    let client = PipelineClient(server.intakeAddress)
    try await client.connect()
    let (ok, payload) = try await client.enqueueJob(
      pipeline: "hashing", encoding: ["file_path": "/etc/hostname"], id: "hostname")
    print(ok, payload.id ?? payload.message)
    let end = try await client.waitForEnd(of: "hostname")
    print(end.state, try end.decoded(as: Hashed.self).hash)

    worker.drain()
    await worker.waitUntilStopped()
    await server.stop()

    state = end.state
    hash = try end.decoded(as: Hashed.self).hash
  }
}
