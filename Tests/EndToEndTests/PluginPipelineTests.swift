import CarbonTube
import Logging
import PluginTestKit
import Synchronization
import Testing

/// A program that embeds the coordinator of a pipeline as a plugin defines it.
@Suite("A plugin's pipeline in an embedding program", .timeLimit(.minutes(15)))
struct PluginPipelineTests {
  private static let library = "\(buildFolder)/libFixturePlugin.so"
  private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func settings(_ pipeline: String, _ lines: LogLines = LogLines()) -> PluginPipelineSettings {
    PluginPipelineSettings(
      library: Self.library, name: pipeline, logger: Logger(label: "test") { _ in Recorder(lines: lines) })
  }

  private func serverSettings() -> PipelineServerSettings {
    var settings = PipelineServerSettings(logger: Self.quiet)
    settings.intakeAddress = "tcp://127.0.0.1:*"
    settings.eventsAddress = "tcp://127.0.0.1:*"
    return settings
  }

  @Test func `Its author's hooks are called, after the program's own, in the storage that its author chose`()
    async throws
  {
    let lines = LogLines()
    let plugin = try await PluginPipeline(settings("heard", lines))
    #expect(plugin.storage == "shelf:heard" && plugin.definition.phases.map(\.jobType) == ["puppet"])
    let opened = LogLines()
    var stores = StorageSchemes.standard
    stores.register("shelf") { address in
      opened.add(address)
      return MemoryJobStore()
    }
    var server = serverSettings()
    server.hooks.started = { lines.add("the program's started") }
    server.hooks.jobFinished = { lines.add("the program's \($0.id.text) \($0.state)") }
    server.hooks.stopped = { lines.add("the program's finished") }
    let coordinator = try PipelineServer(plugin, stores: stores, settings: server)
    coordinator.start()
    var served = PhaseServerSettings(library: Self.library, jobType: "puppet", logger: Self.quiet)
    served.meetingAddresses = [coordinator.eventsAddress]
    let worker = try await PhaseServer(served)
    worker.start()
    let client = PipelineClient(coordinator.intakeAddress, timeoutMilliseconds: 200_000)
    try await client.connect()
    for (id, instructions) in [("good", ["do": "measure"]), ("bad", ["do": "no such thing"])] {
      #expect(try await client.enqueueJob(pipeline: "heard", encoding: instructions, id: id).0)
      _ = try await client.waitForEnd(of: id)
    }
    await client.close()
    worker.stop()
    await worker.waitUntilStopped()
    await coordinator.stop()
    #expect(opened.all == ["shelf:heard"])
    #expect(
      lines.all == [
        "the program's started", "started", "the program's good succeeded", "good succeeded", "the program's bad dead",
        "bad dead", "the program's finished", "finished",
      ])
  }

  @Test func `A storage that the program does not know is refused, whoever named it`() async throws {
    let plugin = try await PluginPipeline(settings("heard"))
    defer { plugin.close() }
    let forms = "memory:, sqlite:PATH, redis://HOST or redis+unix:///SOCKET"
    for (asked, scheme) in [(nil, "shelf"), ("drawer:x", "drawer")] as [(String?, String)] {
      #expect {
        try PipelineServer(plugin, storage: asked, settings: serverSettings())
      } throws: {
        ($0 as? StoreError)?.message == "storage address '\(scheme):…' is not known; write \(forms)"
      }
    }
  }

  @Test func `What cannot be used is named`() async throws {
    let cases = [
      ("hooked", "initialize of pipeline 'hooked' in \(Self.library) sets 'colour', which this version does not know"),
      ("nowhere", "\(Self.library) has no pipeline 'nowhere'; it has: hooked, heard, "),
    ]
    for (name, message) in cases {
      let refusal = await refusal(settings(name)) as? PipelineServerError
      #expect(
        refusal?.kind == .configuration && refusal?.message.hasPrefix(message) == true, "\(String(describing: refusal))"
      )
    }
    var missing = settings("heard")
    missing.library = "/nowhere/lib.so"
    #expect(await refusal(missing).map { "\($0)".hasPrefix("/nowhere/lib.so ") } == true)
  }

  private func refusal(_ settings: PluginPipelineSettings) async -> (any Error)? {
    do {
      _ = try await PluginPipeline(settings)
      return nil
    } catch {
      return error
    }
  }

  @Test func `What the first phase takes is checked where it can be, and said where it cannot`() async throws {
    let lines = LogLines()
    let plugin = try await PluginPipeline(settings("patterned", lines))
    #expect(plugin.storageAddress(nil) == "sqlite:carbontube-patterned.db")
    #expect(plugin.instructionsSchema() == nil)
    #expect(lines.all.count == 1 && lines.all[0].contains("not checked against the input schema of fixture-pattern"))
  }
}

private final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}

private struct Recorder: LogHandler {
  let lines: LogLines
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { lines.add("\(event.message)") }
}
