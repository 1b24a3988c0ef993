internal import ArgumentParser
internal import CarbonTube

struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Show what each phase did in the last minutes; kept with the jobs, over restarts.",
    usage: "carbontube metrics [<options>]")

  @Option(help: "How many minutes, the present one included.") var minutes = 60
  @OptionGroup var coordinator: CoordinatorOptions
  @Flag(help: "Print the coordinator's answer as JSON.") var json = false

  func validate() throws {
    guard (1...10_080).contains(minutes) else { throw ValidationError("--minutes must be 1 to 10080, a week") }
  }

  func run() throws {
    let answer = try coordinator.ask(Verbs.Metrics.self, .init(minutes: minutes))
    guard !json else { return StandardStreams.sayJSON(String(decoding: answer.json, as: UTF8.self)) }
    let metrics = try answer.document()
    var table = TextTable([
      .name("PHASE"), .figure("ENQUEUED", spare: 3), .figure("STARTED", spare: 6), .figure("SUCCEEDED"),
      .figure("FAILED"), .figure("RETRIED", spare: 8), .figure("CRASHED", spare: 5), .figure("DEAD"),
      .figure("RAN p50", spare: 1), .figure("p99", spare: 4), .figure("WAITED p50", spare: 2), .figure("p99", spare: 7),
    ])
    for phase in metrics.phases {
      let counts = [
        phase.enqueued, phase.started, phase.succeeded, phase.failed, phase.retried, phase.crashed, phase.dead,
      ]
      let times = [phase.latencyP50Us, phase.latencyP99Us, phase.waitP50Us, phase.waitP99Us]
      table.add([phase.jobType] + counts.map { String($0) } + times.map(Self.text))
    }
    table.say()
    if metrics.phases.allSatisfy({ $0.enqueued + $0.started + $0.succeeded + $0.failed == 0 }) {
      StandardStreams.say("nothing is counted yet; what happened in the last 5 seconds may be missing")
    }
    Self.say(metrics.measures ?? [])
  }

  private static func say(_ measures: [MeasureDocument]) {
    guard !measures.isEmpty else { return }
    StandardStreams.say("\nwhat the phases counted and measured since the coordinator's start")
    var table = TextTable([
      .name("PHASE"), .name("NAME"), .name("KIND"), .figure("VALUE"), .figure("LOWEST", spare: 2),
      .figure("HIGHEST", spare: 1),
    ])
    for measure in measures {
      let values = [measure.value, measure.lowest, measure.highest].map { $0.map(figure) ?? "-" }
      table.add([measure.phase, measure.name, measure.kind] + values)
    }
    table.say()
  }

  /// Without a fraction where there is none.
  private static func figure(_ value: Double) -> String { Int64(exactly: value).map { "\($0)" } ?? "\(value)" }

  /// Upper ends of the histogram's buckets, hence "at most".
  private static func text(_ microseconds: Int64?) -> String {
    guard let microseconds else { return "-" }
    if microseconds < 1_000 { return "≤ \(microseconds) µs" }
    return microseconds < 1_000_000 ? "≤ \(microseconds / 1_000) ms" : "≤ \(microseconds / 1_000_000) s"
  }
}
