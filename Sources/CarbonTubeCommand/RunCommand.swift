internal import ArgumentParser
internal import CarbonTube

struct RunCommand: StoringCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Do everything in one command: run jobs through a pipeline, on this machine, to their end.",
    usage: "carbontube run <library> <name> [<instructions> ...] [<options>]",
    discussion: """
      Starts the coordinator and a worker for each phase, runs one job for each object of instructions ('-' reads them \
      from stdin, one a line), prints how each ended, and exits with 0 only if all succeeded.
      """)

  @Argument(help: "The plugin that defines the pipeline, e.g. plugins/libExample.so.", completion: .plugin)
  var library: String
  @Argument(help: "The pipeline's name, e.g. example-one.", completion: .pipelineOfPlugin) var name: String
  @Argument(help: "A JSON object for each job; '-' reads them from stdin, one a line.")
  var instructions: [String] = ["{}"]

  @Option(
    name: .customLong("phases-from"),
    help: ArgumentHelp("A further plugin to take phases from, before LIB; repeatable.", valueName: "lib"),
    completion: .plugin)
  var furtherLibraries: [String] = []
  @Option(name: .shortAndLong, help: "Jobs at a time in each phase.") var concurrency = 1
  @Option(help: ArgumentHelp("Keep jobs here. Default: a temporary file, removed at the end.", valueName: "uri"))
  var storage: String?
  @OptionGroup var schemaOption: SchemaOption
  @OptionGroup(title: "What phases are given") var provision: SettingsOptions
  @Flag(help: "Print a JSON object for each job: its state, final instructions, and why it did not succeed.")
  var json = false
  @Option(
    help: "Least level of log lines on stderr: trace, debug, info, notice, warning, error, critical.",
    completion: .logLevel, transform: LogOptions.level)
  var logLevel = LogOptions.quiet
  @Option(help: "How log lines on stderr are written: text, or json with one object a line.")
  var logFormat = LogFormat.text

  func validate() throws {
    guard (1...2_048).contains(concurrency) else { throw ValidationError("--concurrency must be 1 to 2048") }
  }

  func run(stores: StorageSchemes) throws {
    logFormat.choose()
    let file = try PluginFile(library)
    let pipeline = try file.pipeline(name)
    let jobs = try InstructionsSource.read(instructions)
    let servers = try phaseServers(of: pipeline, last: file)
    let first = pipeline.phases.first?.jobType
    let schema = schemaOption.schema(of: first, in: first.flatMap { servers[$0]?.description.phases } ?? []) {
      StandardStreams.complain("carbontube: \($0)")
    }
    let session = try LocalRun(
      pipeline, schema, libraries: servers.mapValues(\.description.file), stores: stores, storage: storage,
      concurrency: concurrency, provision: try provision.given(), logLevel: logLevel)
    let signals = StopSignals { _ in session.interrupt() }
    defer { withExtendedLifetime(signals) {} }
    let ends = try session.run(jobs)
    for (number, end) in ends.enumerated() { show(end, number: number + 1) }
    let failed = ends.count { $0.state != .succeeded }
    guard failed > 0 else { return }
    throw CommandFailure(.refused, "\(failed) of \(ends.count) \(ends.count == 1 ? "job" : "jobs") did not succeed")
  }

  /// The file that serves each phase.
  private func phaseServers(
    of pipeline: PipelineDefinition, last: PluginFile
  ) throws(CommandFailure) -> [String: PluginFile] {
    var files: [PluginFile] = []
    for library in furtherLibraries { files.append(try PluginFile(library)) }
    files.append(last)
    var servers: [String: PluginFile] = [:]
    for phase in pipeline.phases {
      let server = files.first { file in file.description.phases.contains { $0.jobType == phase.jobType } }
      guard let server else {
        let names = files.map(\.description.file).joined(separator: ", ")
        throw CommandFailure(
          .usage, "no phase '\(phase.jobType)' in \(names); name the plugin that has it with --phases-from")
      }
      servers[phase.jobType] = server
    }
    return servers
  }

  private static let linesOfTail = 64

  private func show(_ end: LocalRun.End, number: Int) {
    let shown = WatchedEnd(
      id: json ? end.id : "\(number)", state: end.state, instructions: JSONText.json(in: end.instructions),
      error: end.error.map(JobDocument.Failure.init))
    if json { return StandardStreams.sayJSON(shown.json) }
    StandardStreams.say(shown.line)
    // What it said before it crashed would be lost with the temporary store.
    let tail = end.error.map { $0.standardErrorTail.split(separator: "\n").suffix(Self.linesOfTail) } ?? []
    for line in tail { StandardStreams.complain("  stderr  \(line)") }
  }
}
