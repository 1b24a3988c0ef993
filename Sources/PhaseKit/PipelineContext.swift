import CPhaseABI
import Synchronization

/// What the hooks of a pipeline may use.
public struct PipelineContext: Sendable {
  /// Lines go into the coordinator's log.
  public let logger: PluginLogger
}

/// Settings of the coordinator that a pipeline may choose. What the command line says wins over them.
public final class PipelineSetup: Sendable {
  public let logger: PluginLogger
  private let chosen = Mutex<[(name: String, value: String)]>([])

  init(logger: PluginLogger) {
    self.logger = logger
  }

  /// Where jobs are kept: `memory:`, `sqlite:PATH` or `redis://…`.
  public func storage(_ uri: String) {
    set("storage", to: uri)
  }

  /// A setting by its name; one that the coordinator does not know stops its start.
  public func set(_ name: String, to value: String) {
    chosen.withLock { $0.append((name, value)) }
  }

  var settings: [(name: String, value: String)] { chosen.withLock { $0 } }
}
