internal import ArgumentParser
internal import CarbonTube

struct DrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain",
    abstract: "Have workers finish what they run and end: those named, those that match, or --all.",
    usage: "carbontube drain [<workers> ...] [<options>]")

  @Argument(
    help: """
      Ids of workers, as 'carbontube workers' shows them; a process that serves a folder is named by what stands before \
      the slash.
      """)
  var workers: [String] = []
  @OptionGroup var filter: WorkerFilterOptions
  @Flag(help: "Every worker of the pipeline.") var all = false
  @OptionGroup var report: ReportOptions
  @OptionGroup var coordinator: CoordinatorOptions

  func validate() throws {
    for worker in workers { try requireText(worker, of: "the worker's id") }
  }

  func run() throws {
    // Thrown while the command runs, not while it is parsed: a misspelt option is to be told before.
    guard [!workers.isEmpty, !filter.isEmpty, all].count(where: \.self) == 1 else {
      throw CommandFailure(.usage, "name workers by id, or by --phase and --host, or give --all by itself")
    }
    let connection = try coordinator.connected()
    var seen: Set<String> = []
    let ids = workers.isEmpty ? try matching(connection) : workers.filter { seen.insert($0).inserted }
    try drain(ids, connection)
  }

  private func matching(_ connection: CoordinatorConnection) throws(CommandFailure) -> [String] {
    let status = try connection.ask(Verbs.Status.self, NoArguments()).document()
    let ids = try filter.workers(of: status).map(\.id)
    if ids.isEmpty { StandardStreams.complain("carbontube: no workers that match") }
    return ids
  }

  /// All that can be drained are, whatever becomes of the others.
  private func drain(_ ids: [String], _ connection: CoordinatorConnection) throws(CommandFailure) {
    var problems: [String] = []
    for id in ids {
      let answer = try connection.request(Verbs.Drain.self, .init(worker: id))
      switch answer.code {
      case .ok, .duplicate: report.say("draining \(id)", ChangeReport(command: "drain", ok: true, target: id))
      case .notFound where workers.isEmpty:
        // It ended by itself since the list was made.
        continue
      case .notFound, .invalid, .unfit:
        problems.append("\(connection.address): \(answer.message)")
        if report.json { ChangeReport(command: "drain", ok: false, target: id, message: answer.message).say() }
      case .busy, .unavailable, .stopping:
        throw CommandFailure(.unavailable, "\(connection.address): \(answer.message)")
      }
    }
    guard let first = problems.first else { return }
    guard ids.count > 1 else { throw CommandFailure(.refused, first) }
    for problem in problems { StandardStreams.complain("carbontube: \(problem)") }
    throw CommandFailure(.refused, "\(problems.count) of \(ids.count) workers could not be drained")
  }
}
