internal import ArgumentParser
internal import CarbonTube
internal import HostSupervision

struct PhaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "phase",
    abstract: "Serve one phase: run its jobs in child processes that load the plugin.",
    usage: "carbontube phase <library> <job-type> [<options>]",
    discussion: """
      SIGTERM or Ctrl-C finishes what runs and takes nothing new; a second one, or the end of --drain-timeout, gives \
      running jobs back at once. A coordinator that is not there is waited for.
      """)

  @Argument(help: "The plugin that has the phase, e.g. plugins/libHashFile.so.") var library: String
  @Argument(help: "The phase's job_type, e.g. calculate-hash.") var jobType: String

  @Option(
    name: [.customLong("sub-connect"), .customLong("pub-connect")],
    help: ArgumentHelp("The pipeline's --sub-bind.", valueName: "address"))
  var subConnect = "tcp://127.0.0.1:6000"

  @Option(
    help: ArgumentHelp("Where results go. Default: what the coordinator says.", valueName: "address"))
  var pushConnect: String?

  @Option(
    name: [.customLong("pull-bind"), .customLong("pull-connect")],
    help: ArgumentHelp("Where this worker receives jobs. Port * takes any free one.", valueName: "address"))
  var pullBind = "tcp://127.0.0.1:*"

  @Option(
    help: ArgumentHelp(
      "What the coordinator is told to connect to, where it sees another address.", valueName: "address"))
  var advertise: String?

  @Option(name: .shortAndLong, help: "Jobs at a time, each in a child of its own.") var concurrency = 1

  @Option(help: ArgumentHelp("Kill a job that runs longer. 0: never.", valueName: "seconds")) var timeout = 0.0

  @Option(help: ArgumentHelp("How long SIGTERM lets running jobs go on.", valueName: "seconds"))
  var drainTimeout = 30.0

  @Option(help: ArgumentHelp("Address space of each child.", valueName: "bytes")) var memoryLimit: UInt?
  @Option(help: ArgumentHelp("Open files of each child.", valueName: "count")) var openFilesLimit: UInt?
  @Option(help: ArgumentHelp("CPU time of each child over its life.", valueName: "seconds")) var cpuLimit: UInt?

  @OptionGroup var logging: LogOptions

  func validate() throws {
    for address in [subConnect, pushConnect, advertise].compactMap(\.self) {
      if let problem = addressProblem(address, binding: false) { throw ValidationError(problem) }
    }
    if let problem = addressProblem(pullBind, binding: true) { throw ValidationError(problem) }
    guard (1...2_048).contains(concurrency) else { throw ValidationError("--concurrency must be 1 to 2048") }
    guard (0...1e9).contains(timeout), (0...1e9).contains(drainTimeout) else {
      throw ValidationError("--timeout and --drain-timeout are seconds, 0 or more")
    }
  }

  func run() throws {
    var settings = PhaseServerSettings(
      library: library, jobType: jobType, logger: logging.logger("carbontube.phase"))
    settings.eventsAddress = subConnect
    settings.resultsAddress = pushConnect
    settings.pullAddress = pullBind
    settings.advertisedPullAddress = advertise
    settings.concurrency = concurrency
    settings.timeoutMilliseconds = Int64(timeout * 1_000)
    settings.drainMilliseconds = Int64(drainTimeout * 1_000)
    settings.limits = PluginHostConfiguration.Limits(
      memoryBytes: memoryLimit, openFiles: openFilesLimit, cpuSeconds: cpuLimit)
    try requirePhase()
    let server = try CommandFailure.explaining { try PhaseServer(settings) }
    let signals = StopSignals { count in
      if count == 1 { server.drain() } else { server.stop() }
    }
    defer { withExtendedLifetime(signals) {} }
    StandardStreams.say("phase \(jobType): jobs \(server.pullAddress), pipeline \(subConnect)")
    server.start()
    server.waitUntilStopped()
  }

  /// A wrong name is an error of the command line, a wrong file one of the file.
  private func requirePhase() throws(CommandFailure) {
    let file = try PluginFile(library)
    do throws(PluginRefusal) {
      _ = try file.description.phase(jobType)
    } catch {
      throw CommandFailure(.usage, error.description)
    }
  }
}
