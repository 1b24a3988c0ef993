internal import ArgumentParser
internal import CarbonTube
internal import WireProtocol
internal import ZeroMQTransport

struct ForwarderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forwarder",
    abstract: "Let workers and pipelines meet at one address.",
    discussion: """
      Workers are started with --sub-connect and this program's --sub-bind, pipelines with --forwarder and its --pub-bind. \
      Each worker then serves every pipeline that has its phase. Jobs do not pass through here: each pipeline's --job-pull, \
      or its --advertise, must be reachable from the workers.
      """)

  @Option(help: ArgumentHelp("Where workers look for pipelines. Port * takes any free one.", valueName: "address"))
  var subBind = "tcp://127.0.0.1:6000"
  @Option(help: ArgumentHelp("Where pipelines make themselves known. Port * takes any free one.", valueName: "address"))
  var pubBind = "tcp://127.0.0.1:6001"
  @OptionGroup var logging: LogOptions

  func validate() throws {
    for address in [subBind, pubBind] {
      if let problem = addressProblem(address, binding: true) { throw ValidationError(problem) }
    }
  }

  func run() throws {
    let logger = try logging.logger("carbontube.forwarder")
    try DescriptorNeeds.provide(DescriptorNeeds.coordinator, for: "forwarder")
    DescriptorNeeds.guardConnections(logger)
    let forwarder = try CommandFailure.explaining { try Forwarder(workers: subBind, coordinators: pubBind) }
    let signals = StopSignals { count in if count == 1 { forwarder.stop() } }
    defer { withExtendedLifetime(signals) {} }
    StandardStreams.say(
      "forwarder: workers \(forwarder.workersAddress), pipelines \(forwarder.coordinatorsAddress)")
    forwarder.run()
  }
}
