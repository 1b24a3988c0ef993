internal import ArgumentParser
internal import CarbonTube
internal import HostSupervision

struct PhaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "phase",
    abstract: "Serve phases: run their jobs in child processes that load the plugin.",
    usage: "carbontube phase <library> <job-type> | --plugin-dir <dir> (--all | <job-type> ...)",
    discussion: """
      With --plugin-dir, plugins that are put into the folder, replaced or removed are followed without a restart: a \
      changed file gets new children, and what runs in the old ones is finished.

      SIGTERM, Ctrl-C or a terminal that closes finishes what runs and takes nothing new; a second one, or the end of \
      --drain-timeout, gives running jobs back at once. A coordinator that is not there is waited for.
      """)

  @Argument(
    help: ArgumentHelp(
      "A plugin and one of its phases, e.g. plugins/libHashFile.so calculate-hash; with --plugin-dir job types alone.",
      valueName: "library job-type"), completion: .pluginThenPhase)
  var words: [String] = []

  @Option(help: ArgumentHelp("Serve what lies in this folder; repeatable.", valueName: "dir"), completion: .directory)
  var pluginDir: [String] = []
  @Flag(help: "Serve every phase of every plugin in --plugin-dir.") var all = false

  @Option(
    name: [.customLong("sub-connect"), .customLong("pub-connect")],
    help: ArgumentHelp(
      """
      A pipeline's --sub-bind, or a forwarder's --sub-bind; repeatable: all pipelines found there are served, each with \
      its part of the slots. Default: tcp://127.0.0.1:6000.
      """, valueName: "address"))
  var subConnect: [String] = []

  @Option(
    help: ArgumentHelp(
      "A pipeline's --job-pull, instead of what is found; repeatable.", valueName: "address"))
  var pushConnect: [String] = []

  @Option(
    name: [.customLong("pull-bind"), .customLong("pull-connect")],
    help: ArgumentHelp(
      "Accepted and not needed: a worker connects to the pipeline and listens nowhere.", valueName: "address"))
  var pullBind: String?

  @Option(help: ArgumentHelp("Accepted and not needed, as --pull-bind.", valueName: "address"))
  var advertise: String?

  @Option(name: .shortAndLong, help: "Jobs at a time, each in a child of its own.") var concurrency = 1

  @Option(help: ArgumentHelp("Kill a job that runs longer. 0: never.", valueName: "seconds")) var timeout = 0.0

  @Option(help: ArgumentHelp("How long SIGTERM lets running jobs go on.", valueName: "seconds"))
  var drainTimeout = 30.0

  @Option(help: ArgumentHelp("How long a child may take until it can run jobs.", valueName: "seconds"))
  var readyTimeout = 30.0

  @Option(help: ArgumentHelp("Address space of each child.", valueName: "bytes")) var memoryLimit: UInt?
  @Option(help: ArgumentHelp("Open files of each child.", valueName: "count")) var openFilesLimit: UInt?
  @Option(help: ArgumentHelp("CPU time of each child over its life.", valueName: "seconds")) var cpuLimit: UInt?

  @Option(
    help: ArgumentHelp(
      "Stop running a build that crashed on this many jobs within 10 minutes. 0: never.", valueName: "jobs"))
  var quarantineAfter = 3

  @Option(help: ArgumentHelp("End after having run this many jobs of each phase.", valueName: "jobs")) var maxJobs: Int?
  @Flag(help: "End once nothing waits: 2 s after the last job that the coordinator had for it.") var untilEmpty = false
  @Option(
    help: ArgumentHelp("End after so long with nothing to do, e.g. 30s or 5m.", valueName: "time"),
    transform: ShortDuration.milliseconds)
  var idleExit: Int64?

  @OptionGroup(title: "What phases are given") var provision: SettingsOptions
  @OptionGroup var logging: LogOptions

  func validate() throws {
    for address in subConnect + pushConnect + [advertise].compactMap(\.self) {
      if let problem = addressProblem(address, binding: false) { throw ValidationError(problem) }
    }
    if let pullBind, let problem = addressProblem(pullBind, binding: true) { throw ValidationError(problem) }
    guard quarantineAfter >= 0 else { throw ValidationError("--quarantine-after must be 0 or more") }
    guard (1...2_048).contains(concurrency) else { throw ValidationError("--concurrency must be 1 to 2048") }
    guard (0...1e9).contains(timeout), (0...1e9).contains(drainTimeout) else {
      throw ValidationError("--timeout and --drain-timeout are seconds, 0 to 1000000000")
    }
    guard (0.1...1e9).contains(readyTimeout) else {
      throw ValidationError("--ready-timeout is seconds, 0.1 to 1000000000")
    }
    guard maxJobs ?? 1 >= 1 else { throw ValidationError("--max-jobs must be at least 1") }
    try validateLimits()
  }

  /// Below these the child's own program cannot start.
  private func validateLimits() throws {
    guard memoryLimit ?? .max >= 64 << 20 else {
      throw ValidationError(
        "--memory-limit must be at least 67108864 bytes (64 MiB): the program that loads plugins needs it")
    }
    guard openFilesLimit ?? .max >= 16 else { throw ValidationError("--open-files-limit must be at least 16") }
    guard cpuLimit ?? .max >= 1 else { throw ValidationError("--cpu-limit must be at least 1 second") }
  }

  /// Not part of `validate`, which comes before the parser's own word about an option that it does not know.
  private func checkWords() throws(CommandFailure) {
    guard !pluginDir.isEmpty else {
      guard !all else { throw CommandFailure(.usage, "--all needs --plugin-dir") }
      guard words.count == 2 else {
        throw CommandFailure(.usage, "name a plugin and one of its phases: carbontube phase <library> <job-type>")
      }
      return
    }
    guard all != !words.isEmpty else {
      throw CommandFailure(.usage, "with --plugin-dir give either --all or the job types to serve")
    }
    if let library = words.first(where: { $0.contains("/") }) {
      throw CommandFailure(.usage, "with --plugin-dir only job types are named, not '\(library)'")
    }
  }

  func run() throws {
    try checkWords()
    try DescriptorNeeds.provide(descriptors, for: "phase --concurrency \(concurrency)", servesMany: false)
    if pluginDir.isEmpty { try servePhase() } else { try serveFolders() }
  }

  /// What --all finds is not known yet, and may change.
  private var descriptors: Int {
    let phases = pluginDir.isEmpty || all ? 1 : words.count
    let furtherPipelines = meetingAddresses.count + pushConnect.count - 1
    return DescriptorNeeds.worker + DescriptorNeeds.furtherPipeline * furtherPipelines
      + phases * (DescriptorNeeds.service + DescriptorNeeds.child * concurrency)
  }

  private var meetingAddresses: [String] { subConnect.isEmpty ? ["tcp://127.0.0.1:6000"] : subConnect }

  private var pipelines: String { (pushConnect.isEmpty ? meetingAddresses : pushConnect).joined(separator: ", ") }

  private func servePhase() throws {
    var settings = try settings()
    settings.library = try PluginFile.path(words[0])
    settings.jobType = words[1]
    let server = try CommandFailure.explaining { try PhaseServer(settings) }
    let signals = StopSignals { count in
      if count == 1 { server.drain() } else { server.stop() }
    }
    defer { withExtendedLifetime(signals) {} }
    StandardStreams.say("phase \(settings.jobType): pipeline \(pipelines)")
    server.start()
    server.waitUntilStopped()
  }

  private func serveFolders() throws {
    try PluginSearch.requireFolders(pluginDir)
    let settings = try settings()
    let server = try CommandFailure.explaining {
      try PluginFolderServer(folders: pluginDir, jobTypes: all ? nil : Set(words), settings: settings)
    }
    let signals = StopSignals { count in
      if count == 1 { server.drain() } else { server.stop() }
    }
    defer { withExtendedLifetime(signals) {} }
    let what = all ? "all phases" : words.joined(separator: ", ")
    StandardStreams.say("phase \(what): plugins \(pluginDir.joined(separator: ", ")), pipeline \(pipelines)")
    server.start()
    server.waitUntilStopped()
  }

  /// What both forms have in common.
  private func settings() throws(CommandFailure) -> PhaseServerSettings {
    var settings = PhaseServerSettings(library: "", jobType: "", logger: try logging.logger("carbontube.phase"))
    try provision.given().apply(to: &settings)
    settings.meetingAddresses = meetingAddresses
    settings.coordinatorAddresses = pushConnect
    settings.concurrency = concurrency
    settings.timeoutMilliseconds = Int64(timeout * 1_000)
    settings.drainMilliseconds = Int64(drainTimeout * 1_000)
    settings.readinessMilliseconds = Int64(readyTimeout * 1_000)
    settings.maximumJobs = maxJobs
    settings.endsWhenEmpty = untilEmpty
    settings.idleExitMilliseconds = idleExit
    settings.quarantineAfter = quarantineAfter == 0 ? nil : quarantineAfter
    settings.limits.memoryBytes = memoryLimit
    settings.limits.openFiles = openFilesLimit
    settings.limits.cpuSeconds = cpuLimit
    return settings
  }
}
