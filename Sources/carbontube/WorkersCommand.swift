internal import ArgumentParser
internal import CarbonTube

/// Which workers a command means.
struct WorkerFilterOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Workers of this phase.", valueName: "job_type")) var phase: String?
  @Option(help: ArgumentHelp("Workers on this machine, as the list names it.", valueName: "name")) var host: String?

  func validate() throws {
    try requireText(phase, of: "--phase")
    try requireText(host, of: "--host")
  }

  var isEmpty: Bool { phase == nil && host == nil }

  /// - Throws: where the pipeline has no such phase; a machine without workers is one that has none yet.
  func workers(of status: Status) throws(CommandFailure) -> [Status.Worker] {
    if let phase, !status.phases.contains(where: { $0.jobType == phase }) {
      let known = status.phases.map(\.jobType).joined(separator: ", ")
      throw CommandFailure(.refused, "no phase '\(excerpt(phase))'; pipeline \(status.pipeline) has \(known)")
    }
    return status.workers.filter { (phase ?? $0.jobType) == $0.jobType && (host ?? $0.host) == $0.host }
  }
}

struct WorkersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workers", abstract: "List the workers: where they run, what they serve and how busy they are.")

  @OptionGroup var filter: WorkerFilterOptions
  @OptionGroup var watching: WatchOptions
  @OptionGroup var coordinator: CoordinatorOptions
  @Flag(help: "Print a JSON object for each worker.") var json = false

  func run() throws {
    try watching.show(from: coordinator, isJSON: json, look)
  }

  private func look(_ connection: CoordinatorConnection, _ sheet: inout Sheet) throws {
    let status = try JSONText.decode(Status.self, from: try connection.ask("status", VerbDocument()).document)
    let workers = try filter.workers(of: status)
    guard !json else {
      for worker in workers { sheet.add(json: JSONText.of(worker)) }
      return
    }
    guard !workers.isEmpty else { return sheet.add(filter.isEmpty ? "no workers" : "no workers that match") }
    sheet.add(Self.table(of: workers))
  }

  static func table(of workers: [Status.Worker]) -> TextTable {
    var table = TextTable([
      .name("WORKER"), .words("HOST", spare: 3), .words("PHASE"), .figure("SLOTS"), .figure("BUSY"), .state("STATE"),
      .figure("BUILD", spare: 2), .figure("SEEN", spare: 1), .words("NOTE"),
    ])
    for worker in workers {
      table.add([
        worker.id, worker.host, worker.jobType, String(worker.concurrency),
        Status.text(String(worker.busy), ahead: worker.ahead), worker.state, worker.plugin, worker.seen,
        worker.reason ?? "",
      ])
    }
    return table
  }
}
