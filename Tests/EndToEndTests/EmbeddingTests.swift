import CarbonTube
import Foundation
import Logging
import MetricsTestKit
import PluginTestKit
import ServiceLifecycle
import Testing

/// What README.md shows of programs that embed CarbonTube.
@Suite("Embedding", .timeLimit(.minutes(15)))
struct EmbeddingTests {
  @Test func `A program embeds a coordinator, a worker and a client, and ends by itself`() async throws {
    let temporary = try TemporaryFolder()
    let end = try await Hashing.main(temporary.path, buildFolder)
    #expect(end.state == .succeeded)
    let hash = try end.decoded(as: Hashed.self).hash
    let sum = try Program("/usr/bin/sha1sum", ["/etc/hostname"], in: temporary.path).end().output
    #expect(sum.hasPrefix(hash) && hash.count == 40)
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

  @Test func `A service group runs all of it, with its metrics, and shuts it down in good order`() async throws {
    let temporary = try TemporaryFolder()
    let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    var settings = PipelineServerSettings(logger: quiet)
    settings.intakeAddress = "tcp://127.0.0.1:*"
    settings.eventsAddress = "tcp://127.0.0.1:*"
    let server = try PipelineServer(
      name: "hashing", phases: ["calculate-hash"], storage: try jobStore(at: "sqlite:\(temporary.path)/jobs.db"),
      settings: settings)
    var served = PhaseServerSettings(library: buildFolder + "/libHashFile.so", jobType: "calculate-hash", logger: quiet)
    served.meetingAddresses = [server.eventsAddress]
    let worker = try await PhaseServer(served)
    let factory = TestMetrics()
    let metrics = PipelineMetrics(of: server.intakeAddress, every: .milliseconds(20), factory: factory)
    // The group stops the last first: the worker drains while its coordinator is there.
    let group = ServiceGroup(services: [server, worker, metrics], logger: quiet)
    async let running: Void = group.run()

    // On a busy machine the group's task may be long in coming.
    let client = PipelineClient(server.intakeAddress, timeoutMilliseconds: 200_000)
    try await client.connect()
    try await seen(factory) { $0.gauge("carbontube_coordinator_up") == 1 }
    for number in 0..<20 {
      let (ok, _) = try await client.enqueueJob(
        pipeline: "hashing", encoding: ["file_path": "/etc/hostname"], id: "job-\(number)")
      #expect(ok)
    }
    for number in 0..<20 {
      #expect(try await client.waitForEnd(of: "job-\(number)").state == .succeeded)
    }
    try await seen(factory) { $0.counter("carbontube_phase_attempts_succeeded_total") == 20 }
    #expect(factory.counter("carbontube_phase_enqueued_total") == 20)
    await client.close()
    await group.triggerGracefulShutdown()
    try await running
    // It is closed: another may open it.
    let reopened = try PipelineServer(
      name: "hashing", phases: ["calculate-hash"], storage: try jobStore(at: "sqlite:\(temporary.path)/jobs.db"),
      settings: settings)
    reopened.start()
    await reopened.stop()
    #expect(reopened.failure == nil)
    withExtendedLifetime(temporary) {}
  }

  /// Looks again until it is so; the suite's limit ends what never is.
  private func seen(_ factory: TestMetrics, _ condition: (TestMetrics) -> Bool) async throws {
    while !condition(factory) { try await Task.sleep(for: .milliseconds(5)) }
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

// README's program, but for the folders: what it shows must end by itself.

struct Hashed: Decodable { var hash: String }

struct Hashing {
  static func main(_ folder: String, _ plugins: String) async throws -> JobEnd {
    var settings = PipelineServerSettings()
    settings.intakeAddress = "tcp://127.0.0.1:*"
    settings.eventsAddress = "tcp://127.0.0.1:*"
    let server = try PipelineServer(
      name: "hashing", phases: ["calculate-hash"], storage: try jobStore(at: "sqlite:\(folder)/hashing.db"),
      settings: settings)
    server.start()

    var served = PhaseServerSettings(library: "\(plugins)/libHashFile.so", jobType: "calculate-hash")
    served.meetingAddresses = [server.eventsAddress]
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
    return end
  }
}

extension TestMetrics {
  /// Over all labels.
  fileprivate func counter(_ label: String) -> Int64 {
    counters.filter { $0.label == label }.reduce(0) { $0 + $1.values.reduce(0, +) }
  }

  fileprivate func gauge(_ label: String) -> Double? { recorders.last { $0.label == label }?.lastValue }
}
