public import HostSupervision
public import Logging
internal import PluginCatalog

/// Which pipeline of which plugin, and what its hooks are run with.
public struct PluginPipelineSettings: Sendable {
  /// The plugin's file.
  public var library: String
  /// The pipeline's.
  public var name: String
  /// Variables of the hooks' process, beside the few that every one gets (`PluginHostConfiguration`). Nothing shows them.
  public var environment: [String: String] = [:]
  /// Values that are replaced by `***` in all that the hooks say.
  public var secrets = SecretValues()
  /// Where copies of plugins are kept.
  public var stateFolder: String
  /// The program that loads plugins, in processes of its own. Found beside the running program or in PATH, or named by
  /// CARBONTUBE_PLUGIN_HOST; an embedding program may name it here.
  public var hostExecutable = PluginHostConfiguration.defaultExecutable()
  /// Where what the hooks log goes, and what they failed with.
  public var logger: Logger

  public init(library: String, name: String, logger: Logger = Logger(label: "carbontube.pipeline")) {
    self.library = library
    self.name = name
    self.logger = logger
    stateFolder = StateFolder.path()
  }
}
