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
  func workers(of status: StatusDocument) throws(CommandFailure) -> [StatusDocument.Worker] {
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
  @OptionGroup var output: OutputOptions
  @OptionGroup var choice: ColumnOptions

  func validate() throws { try choice.validate(for: output.form, of: StatusDocument.Worker.columns) }

  func run() throws {
    try watching.show(from: coordinator, isJSON: output.form.isDocument, look)
  }

  private func look(_ connection: CoordinatorConnection, _ sheet: inout Sheet) throws {
    let status = try connection.ask(Verbs.Status.self, NoArguments()).document()
    let workers = try filter.workers(of: status)
    sheet.take(output.form)
    guard !output.form.isDocument else {
      for worker in workers { sheet.add(worker.json, as: output.form) }
      return
    }
    guard !workers.isEmpty else { return sheet.add(filter.isEmpty ? "no workers" : "no workers that match") }
    let columns = try TableColumns(StatusDocument.Worker.columns, form: output.form, named: choice.columns)
    var table = columns.table
    for worker in workers { table.add(columns.shown(worker.row)) }
    sheet.add(table)
  }
}

extension StatusDocument.Worker {
  /// One line of --json. Where the file lies is the machine's own affair.
  fileprivate var json: String {
    var shown = self
    shown.pluginFile = nil
    return JSONText.of(shown)
  }

  static let columns: [TableColumns.Column] = [
    .usual(.name("WORKER")), .usual(.words("HOST", spare: 3)), .wide(.figure("PID")), .usual(.words("PHASE")),
    .usual(.figure("SLOTS")), .usual(.figure("BUSY")), .usual(.state("STATE")), .wide(.figure("SUCCEEDED")),
    .wide(.figure("FAILED")), .usual(.figure("BUILD", spare: 2)), .usual(.figure("SEEN", spare: 1)),
    .usual(.words("NOTE")),
  ]

  /// A cell for each of `columns`.
  var row: [String] {
    [
      id, host, String(pid), jobType, String(concurrency), StatusDocument.text(String(busy), ahead: ahead), state,
      String(succeeded), String(failed), plugin, seen, reason ?? "",
    ]
  }
}
