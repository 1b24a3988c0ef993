internal import ArgumentParser
internal import CarbonTube
internal import HostProtocol
internal import Logging
internal import WebDashboard
internal import ZeroMQTransport

struct PipelineCommand: StoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipeline",
    abstract: "Coordinate a pipeline: take jobs in and give them to idle workers.",
    usage: "carbontube pipeline <library> <name> [<options>]",
    discussion: """
      Ends with SIGTERM or Ctrl-C; jobs stay in the storage, and workers go on with what they have. Start it again on \
      the same storage and it continues.
      """)

  @Argument(help: "The plugin that defines the pipeline, e.g. plugins/libExample.so.", completion: .plugin)
  var library: String
  @Argument(help: "The pipeline's name, e.g. example-one.", completion: .pipelineOfPlugin) var name: String

  @Option(
    name: [.customLong("sub-bind"), .customLong("sub-connect")],
    help: ArgumentHelp("Where workers look for this pipeline. Port * takes any free one.", valueName: "address"))
  var subBind = "tcp://127.0.0.1:6000"

  @Option(
    name: [.customLong("job-pull"), .customLong("pull-bind"), .customLong("pull-connect")],
    help: ArgumentHelp("Where workers connect, and where jobs and requests come in.", valueName: "address"))
  var jobPull = "tcp://127.0.0.1:5050"

  @Option(
    help: ArgumentHelp(
      "--job-pull as workers reach it, where they see another address: behind a forwarder, NAT or a mapped port.",
      valueName: "address"))
  var advertise: String?

  @Option(
    help: ArgumentHelp(
      "The --pub-bind of a forwarder where workers look for this pipeline as well; repeatable.", valueName: "address"))
  var forwarder: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Where jobs are kept: sqlite:PATH, redis://[user[:password]@]host[:port][/db], redis+unix:///path.sock, memory:. \
      Default: what the pipeline chooses, else sqlite:carbontube-NAME.db here.
      """, valueName: "uri"))
  var storage: String?

  @Option(
    help: ArgumentHelp(
      "A worker that says nothing for so long counts as gone; at least 2. One whose connection breaks is missed sooner.",
      valueName: "seconds"))
  var workerTimeout = 4.5

  @Option(help: "Jobs that may be out at workers at once. Default: as many as there are slots.")
  var concurrency: Int?

  @Option(help: ArgumentHelp("Larger instructions are refused.", valueName: "bytes"))
  var maxInstructions = 4 << 20
  @OptionGroup var schemaOption: SchemaOption

  @Option(help: ArgumentHelp("Succeeded and cancelled jobs that are kept.", valueName: "count")) var keepFinished =
    100_000
  @Option(help: ArgumentHelp("Days that succeeded and cancelled jobs are kept.", valueName: "days")) var keepDays = 7.0
  @Option(help: ArgumentHelp("Bytes of instructions of those that are kept.", valueName: "bytes"))
  var keepBytes = 1 << 30
  @Option(
    help: ArgumentHelp(
      "Dead jobs that are kept. Default: all, until somebody requeues or deletes them.", valueName: "count"))
  var keepDead: Int?

  @Flag(help: "Show this pipeline on a web page as well.") var web = false
  @Option(help: ArgumentHelp("Where the page is, with --web.", valueName: "host:port"))
  var webBind = WebOptions.defaultBind
  @Option(help: ArgumentHelp("As --token-file of web.", valueName: "file"), completion: .file()) var webTokenFile:
    String?

  @OptionGroup(title: "What the pipeline's hooks are given") var environment: EnvironmentOptions
  @OptionGroup var logging: LogOptions

  func validate() throws {
    for address in [subBind, jobPull] {
      if let problem = addressProblem(address, binding: true) { throw ValidationError(problem) }
    }
    for address in forwarder + [advertise].compactMap(\.self) {
      if let problem = addressProblem(address, binding: false) { throw ValidationError(problem) }
    }
    _ = try WebOptions.hostAndPort(webBind)
    if let concurrency, !(1...1_000_000).contains(concurrency) {
      throw ValidationError("--concurrency must be 1 to 1000000")
    }
    for (value, option) in [(storage, "--storage"), (webTokenFile, "--web-token-file")] {
      try requireText(value, of: option)
    }
    guard (1...InstructionsJSON.maximumBytes).contains(maxInstructions) else {
      throw ValidationError("--max-instructions must be 1 to \(InstructionsJSON.maximumBytes)")
    }
    guard keepFinished >= 0, keepBytes >= 0, (keepDead ?? 0) >= 0 else {
      throw ValidationError("--keep-finished, --keep-bytes and --keep-dead must not be negative")
    }
    guard (2...86_400).contains(workerTimeout) else {
      throw ValidationError("--worker-timeout must be 2 to 86400 seconds")
    }
    guard (0...1e6).contains(keepDays) else { throw ValidationError("--keep-days must be 0 to 1000000") }
  }

  func run(stores: StorageSchemes) throws {
    let logger = try logging.logger("carbontube.pipeline")
    let file = try PluginFile(library)
    let definition = try file.pipeline(name)
    let plugin = try pipeline(of: file, logger)
    defer { plugin.close() }
    let schema = schemaOption.schema(of: definition.phases.first?.jobType, in: file.description.phases) {
      logger.warning("\($0)")
    }
    try serve(plugin, schema, stores, logger: logger)
  }

  private func pipeline(of file: PluginFile, _ logger: Logger) throws -> PluginPipeline {
    var settings = PluginPipelineSettings(library: file.description.file, name: name, logger: logger)
    if file.hasHooks(name) {
      let given = try environment.given()
      settings.environment = given.variables
      settings.secrets = SecretValues(given.secrets)
    }
    return try CommandFailure.explaining { try PluginPipeline(file.description, settings) }
  }

  private func serve(
    _ plugin: PluginPipeline, _ schema: InstructionsSchema?, _ stores: StorageSchemes, logger: Logger
  ) throws(CommandFailure) {
    let descriptors = try DescriptorNeeds.provide(
      DescriptorNeeds.coordinator + (web ? DescriptorNeeds.web : 0), for: web ? "pipeline --web" : "pipeline")
    DescriptorNeeds.guardConnections(logger)
    if descriptors < 4_096 {
      logger.warning("at most \(descriptors) files may be open, and each worker takes 2: raise the limit (ulimit -n)")
    }
    var settings = PipelineServerSettings(logger: logger)
    settings.eventsAddress = subBind
    settings.intakeAddress = jobPull
    settings.advertisedIntakeAddress = advertise
    settings.forwarders = forwarder
    settings.workerTimeoutMilliseconds = Int64(workerTimeout * 1_000)
    settings.concurrency = concurrency
    settings.maximumInstructionsBytes = maxInstructions
    settings.instructionsSchema = schema
    settings.retention = RetentionPolicy(
      maximumFinished: keepFinished, maximumAgeMilliseconds: Int64(keepDays * 86_400_000), maximumBytes: keepBytes,
      maximumDead: keepDead)
    let server = try CommandFailure.explaining { () throws -> CoordinatorRun in
      try CoordinatorRun(plugin, storage: storage, stores: stores, settings: settings)
    }
    let page = try webServer(for: server.intakeAddress, logger: logger)
    let signals = StopSignals { count in
      page?.stop()
      server.stop(asked: count)
    }
    defer { withExtendedLifetime(signals) {} }
    try CommandFailure.explaining { try server.run() }
    page?.stop()
  }

  /// The page asks the coordinator as any client does, so whatever becomes of it the jobs go on.
  private func webServer(for intake: String, logger: Logger) throws(CommandFailure) -> WebServer? {
    guard web else { return nil }
    return try CommandFailure.explaining {
      let address = intake.replacing("0.0.0.0", with: "127.0.0.1").replacing("[::]", with: "[::1]")
      let page = try WebOptions(bind: webBind, tokenFile: webTokenFile).server(for: [address], logger: logger)
      StandardStreams.say("web \(try WebOptions.start(page))")
      return page
    }
  }
}
