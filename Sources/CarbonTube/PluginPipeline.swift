public import Coordination
internal import Dispatch
internal import HostProtocol
internal import HostSupervision
public import PhaseSettings
public import PipelineModel
package import PluginCatalog
internal import ZeroMQTransport

/// A pipeline as a plugin defines it, with the hooks that its author wrote; those run in a process of their own, so that
/// whatever they do the coordinator goes on.
///
///     let plugin = try await PluginPipeline(PluginPipelineSettings(library: "libExample.so", name: "example-one"))
///     let server = try PipelineServer(plugin)
///
/// For one coordinator: the hooks' process ends after `on_finished`, or with this object.
public final class PluginPipeline: Sendable {
  public let definition: PipelineDefinition
  /// The address of the storage that the author's `initialize` chose; nil where it chose none.
  public let storage: String?
  /// What calls the author's hooks; one that fails is logged and stops nothing. None where the author wrote none.
  public let hooks: PipelineHooks
  private let firstPhase: PhaseDescription?
  private let settings: PluginPipelineSettings
  private let host: PipelineHookHost?

  /// Looks at the plugin and calls the author's `initialize`, in child processes. Blocks until both have answered, 65 s at
  /// most.
  ///
  /// - Throws: where the file cannot be used, has no such pipeline, or its `initialize` fails.
  @available(*, noasync, message: "blocks; in a task write: try await PluginPipeline(…)")
  public convenience init(_ settings: PluginPipelineSettings) throws(PipelineServerError) {
    try self.init(Self.look(at: settings), settings)
  }

  /// See the other form; blocks no thread.
  public convenience init(_ settings: PluginPipelineSettings) async throws {
    let made = await withCheckedContinuation { made in
      DispatchQueue.global().async {
        made.resume(returning: Result { try Prepared(Self.look(at: settings), settings) })
      }
    }
    self.init(try made.get(), settings)
  }

  /// - Parameter description: of `settings.library`, which was looked at before. Blocks until `initialize` has ended.
  package convenience init(
    _ description: PluginDescription, _ settings: PluginPipelineSettings
  ) throws(PipelineServerError) {
    self.init(try Prepared(description, settings), settings)
  }

  private init(_ prepared: Prepared, _ settings: PluginPipelineSettings) {
    definition = prepared.definition
    storage = prepared.storage
    firstPhase = prepared.firstPhase
    host = prepared.host
    hooks = prepared.host.map { .calling($0, pipeline: settings.name, logger: settings.logger) } ?? PipelineHooks()
    self.settings = settings
  }

  private static func look(at settings: PluginPipelineSettings) throws(PipelineServerError) -> PluginDescription {
    let description = PluginCatalog(stateFolder: settings.stateFolder, hostExecutable: settings.hostExecutable)
      .describe(file: settings.library)
    // One in quarantine still has its definitions.
    if let problem = description.problem, !description.state.isQuarantined {
      throw PipelineServerError(kind: .configuration, message: problem)
    }
    return description
  }

  /// What `asked` names, else what `initialize` chose, else a file of SQLite's in the working directory.
  public func storageAddress(_ asked: String?) -> String {
    asked ?? storage ?? "sqlite:carbontube-\(definition.name).db"
  }

  /// What the first phase takes by its own word; nil where the plugin does not have that phase, where it says nothing, and,
  /// which is logged, where its schema cannot be checked.
  public func instructionsSchema() -> InstructionsSchema? {
    guard let firstPhase else { return nil }
    do throws(SettingsError) {
      return try InstructionsSchema(firstPhase)
    } catch {
      let reason = "instructions are not checked against the input schema of \(firstPhase.jobType): it \(error)"
      settings.logger.warning("\(reason)")
      return nil
    }
  }

  /// Ends the hooks' process, for whoever never started a coordinator. Hooks that are called later fail.
  public func close() { host?.stop() }
}

/// What was found out before the object is made.
private struct Prepared: Sendable {
  var definition: PipelineDefinition
  var firstPhase: PhaseDescription?
  var storage: String?
  var host: PipelineHookHost?

  init(_ description: PluginDescription, _ settings: PluginPipelineSettings) throws(PipelineServerError) {
    let described: PipelineDescription
    do throws(PluginRefusal) {
      described = try description.pipeline(settings.name)
    } catch {
      throw PipelineServerError(kind: .configuration, message: error.description)
    }
    do throws(PipelineDefinitionError) {
      definition = try PipelineDefinition(described)
    } catch {
      throw PipelineServerError(
        kind: .configuration, message: "\(description.file) cannot be used: \(error.message)")
    }
    let first = definition.phases.first?.jobType
    firstPhase = description.phases.first { $0.jobType == first }
    guard described.hasHooks else { return }
    let host = try Self.host(description, settings)
    storage = try Self.initialize(host, "pipeline '\(settings.name)' in \(description.file)")
    self.host = host
  }

  private static func host(
    _ description: PluginDescription, _ settings: PluginPipelineSettings
  ) throws(PipelineServerError) -> PipelineHookHost {
    let configuration = PluginHostConfiguration(
      executable: settings.hostExecutable, library: description.stagedPath, role: .pipeline(name: settings.name),
      environment: settings.environment, secrets: settings.secrets)
    do throws(TransportError) {
      return try PipelineHookHost(configuration, logger: settings.logger)
    } catch {
      throw PipelineServerError(kind: .unavailable, message: error.message)
    }
  }

  /// - Returns: the storage that it chose.
  private static func initialize(_ host: PipelineHookHost, _ pipeline: String) throws(PipelineServerError) -> String? {
    let answer = host.call(.initialize)
    guard answer.result.status == .ok || answer.result.status == .unsupported else {
      let reason = answer.result.error?.description ?? "\(answer.result.status)"
      throw PipelineServerError(kind: .configuration, message: "initialize of \(pipeline) failed: \(reason)")
    }
    if let unknown = answer.settings.first(where: { $0.name != "storage" }) {
      throw PipelineServerError(
        kind: .configuration,
        message: "initialize of \(pipeline) sets '\(unknown.name)', which this version does not know; it knows: storage"
      )
    }
    return answer.settings.last?.value
  }
}
