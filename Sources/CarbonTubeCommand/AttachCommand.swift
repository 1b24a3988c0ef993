internal import ArgumentParser
internal import CarbonTube

struct AttachCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attach",
    abstract: "Follow one job to its end: its progress, what it logs, then how it ended.",
    discussion: """
      Log lines, steps from phase to phase and progress go to stderr, how the job ended to stdout, so that its instructions \
      can be read by another program. The exit status is 0 only if it succeeded. Ctrl-C leaves the job as it is. Whatever \
      holds the job up is said, and a coordinator that is away is waited for.
      """)

  @Argument(help: "The job's id.") var id: String
  @OptionGroup var coordinator: CoordinatorOptions
  @Option(help: ArgumentHelp("Give up after this long; the job goes on. (default: never)", valueName: "seconds"))
  var waitTimeout: Double?
  @Flag(help: "Print a JSON object for each line, step and progress, and for the end; all on stdout.") var json = false

  func validate() throws {
    try requireJobID(id)
    if let waitTimeout, !(0.001...1e9).contains(waitTimeout) {
      throw ValidationError("--wait-timeout must be 0.001 to 1000000000 seconds")
    }
  }

  func run() throws {
    let address = try coordinator.resolvedAddress()
    let client = PipelineClient(address, timeoutMilliseconds: Int(coordinator.timeout * 1_000))
    defer { client.close() }
    try CommandFailure.explaining { try client.connect() }
    var attachment = JobAttachment(client, id: id, json: json)
    var vigil = JobVigil(client, pipeline: "", timeoutMilliseconds: waitTimeout.map { Int64($0 * 1_000) })
    let end = try vigil.end(of: id) { attachment.look() }
    attachment.finish()
    if json { StandardStreams.sayJSON(end.event) } else { StandardStreams.say(end.line) }
    guard end.state != .succeeded else { return }
    throw CommandFailure(.refused, "job '\(id)' did not succeed; 'carbontube job \(id)' shows why")
  }
}
