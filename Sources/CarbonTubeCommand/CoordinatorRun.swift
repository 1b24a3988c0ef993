internal import CarbonTube
internal import Dispatch
internal import ZeroMQTransport

/// A coordinator from its start to its end, as the `pipeline` command runs it.
final class CoordinatorRun: Sendable {
  private let server: PipelineServer
  /// As bound.
  var intakeAddress: String { server.intakeAddress }
  private let stopping = DispatchQueue(label: "carbontube.stop")

  /// - Parameter storage: nil: what the pipeline chose, or the default.
  init(
    _ plugin: PluginPipeline, storage: String?, stores: StorageSchemes, settings: PipelineServerSettings
  ) throws {
    let store = try stores.store(at: plugin.storageAddress(storage))
    let address = store.address
    let bound = Announced()
    var settings = settings
    settings.hooks.started = { bound.announce() }
    settings.hooks = settings.hooks.adding(plugin.hooks)
    server = try PipelineServer(pipeline: plugin.definition, storage: store, settings: settings)
    bound.line =
      "pipeline \(plugin.definition.name): jobs \(server.intakeAddress), workers \(server.eventsAddress), "
      + "storage \(address)"
  }

  func run() throws {
    server.start()
    try server.waitUntilStopped()
  }

  /// Returns at once.
  /// - Parameter count: how often it was asked for; from the second time on nobody waits for hooks.
  func stop(asked count: Int) {
    if count > 1 { return server.hurry() }
    stopping.async { self.server.stop() }
  }
}

/// The line that says the pipeline is ready: complete before `start`, said once by the hooks' thread.
private final class Announced: @unchecked Sendable {
  var line = ""
  func announce() { StandardStreams.say(line) }
}

extension CommandFailure {
  /// Runs `body` and puts the library's errors into the words and numbers of the command line.
  static func explaining<Value>(_ body: () throws -> Value) throws(CommandFailure) -> Value {
    do {
      return try body()
    } catch let failure as CommandFailure {
      throw failure
    } catch let error as PipelineServerError {
      throw CommandFailure(error.kind == .configuration ? .configuration : .unavailable, error.message)
    } catch let error as StoreError {
      throw CommandFailure(
        error.isTransient || error.kind == .ownedByAnother ? .unavailable : .configuration, error.message)
    } catch let error as PhaseServerError {
      throw CommandFailure(error.exitStatus, error.message)
    } catch let error as PipelineClientError {
      throw CommandFailure(error.kind == .address ? .usage : .unavailable, error.message)
    } catch let error as TransportError {
      throw CommandFailure(.unavailable, error.message)
    } catch let error as PipelineDefinitionError {
      throw CommandFailure(.configuration, error.message)
    } catch {
      throw CommandFailure(.refused, "\(error)")
    }
  }
}

extension PhaseServerError {
  var exitStatus: ExitStatus {
    switch kind {
    case .noInput: .noInput
    case .noSuchPhase: .usage
    case .settings: .configuration
    case .plugin: .data
    case .address: .unavailable
    }
  }
}
