internal import ArgumentParser
internal import CarbonTube
internal import WebDashboard
internal import ZeroMQTransport

struct WebCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "web",
    abstract: "Show pipelines on a live web page, and act on them.",
    discussion: """
      The same data and actions are at /api/v1 (see /api/v1/openapi.json), metrics for Prometheus at /metrics.
      Everything that changes something needs the token of --token-file when the page is bound beyond loopback.
      """)

  @Option(
    help: ArgumentHelp(
      "A coordinator's --job-pull; repeatable. \(CoordinatorAddress.helpOfDefault)", valueName: "address"))
  var pipeline: [String] = []
  @Option(help: ArgumentHelp("Where the page is. Port 0 takes any free one.", valueName: "host:port"))
  var bind = WebOptions.defaultBind
  @Option(
    help: ArgumentHelp("Holds the token that whoever changes something must know.", valueName: "file"),
    completion: .file())
  var tokenFile: String?
  @Flag(help: "Show, and change nothing.") var readOnly = false
  @Option(
    help: ArgumentHelp(
      "A folder of plugins to show; repeatable. Default: as of plugins list.", valueName: "dir"))
  var pluginDir: [String] = []
  @OptionGroup var logging: LogOptions

  func validate() throws {
    for address in pipeline {
      if let problem = addressProblem(address, binding: false) { throw ValidationError(problem) }
    }
    _ = try WebOptions.hostAndPort(bind)
  }

  func run() throws {
    let pipelines = pipeline.isEmpty ? [try CoordinatorAddress.resolved(nil)] : pipeline
    let options = WebOptions(bind: bind, tokenFile: tokenFile, isReadOnly: readOnly, pluginFolders: pluginDir)
    try PluginSearch.requireFolders(pluginDir)
    try DescriptorNeeds.provide(
      DescriptorNeeds.web + DescriptorNeeds.askedPipeline * pipelines.count, for: "web")
    let logger = try logging.logger("carbontube.web")
    DescriptorNeeds.guardConnections(logger)
    let server = try options.server(for: pipelines, logger: logger)
    let signals = StopSignals { _ in server.stop() }
    defer { withExtendedLifetime(signals) {} }
    StandardStreams.say("web \(try WebOptions.start(server))")
    server.waitUntilStopped()
  }
}
