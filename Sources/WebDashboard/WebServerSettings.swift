public import Logging
internal import PluginCatalog

/// What a web server is told when it starts.
public struct WebServerSettings: Sendable {
  /// The coordinators' intakes (`--job-pull`).
  public var pipelines: [String]
  public var host = "127.0.0.1"
  /// 0 takes any free one.
  public var port = 8080
  /// Asked of whoever changes something; nil: nobody beyond this machine may.
  public var token: String?
  public var isReadOnly = false
  /// Where plugins are looked for, for the list of them and for the schemas of their phases.
  public var pluginFolders: [String] = []
  /// Where copies of plugins and records of quarantine are kept.
  public var stateFolder: String
  public var logger: Logger

  public init(pipelines: [String], logger: Logger = Logger(label: "carbontube.web")) {
    self.pipelines = pipelines
    self.logger = logger
    stateFolder = StateFolder.path()
  }
}

/// Why a web server could not start.
public struct WebServerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One line for people.
  public let description: String
  init(_ description: String) { self.description = description }
}
