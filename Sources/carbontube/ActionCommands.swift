internal import ArgumentParser

struct CancelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Take jobs out, whether they wait or run.")

  @Argument(help: "The jobs' ids.") var ids: [String]
  @OptionGroup var coordinator: CoordinatorOptions

  func run() throws {
    for id in ids {
      _ = try coordinator.ask("cancel", VerbDocument(id: id))
      StandardStreams.say("cancelled \(id)")
    }
  }
}

struct RequeueCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "requeue",
    abstract: "Try dead jobs again: those named, those that match, or --all.",
    usage: "carbontube requeue [<ids> ...] [<options>]",
    discussion: "Cancelled and delayed jobs are meant only where --state names them.")

  @Argument(help: "Ids of jobs.") var ids: [String] = []
  @OptionGroup var filter: JobFilterOptions
  @Flag(help: "Every dead job.") var all = false
  @OptionGroup var coordinator: CoordinatorOptions

  func run() throws {
    try requireChoice(ids: ids, filter: filter, all: all)
    let count = try coordinator.repeating("requeue", "requeued", ids: ids, filter: filter)
    StandardStreams.say("requeued \(count) \(count == 1 ? "job" : "jobs")")
  }
}

struct DeleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete jobs that are not running: those named, those that match, or --all.",
    usage: "carbontube delete [<ids> ...] [<options>]")

  @Argument(help: "Ids of jobs.") var ids: [String] = []
  @OptionGroup var filter: JobFilterOptions
  @Flag(help: "Every job that is not running.") var all = false
  @OptionGroup var coordinator: CoordinatorOptions

  func run() throws {
    try requireChoice(ids: ids, filter: filter, all: all)
    let count = try coordinator.repeating("delete", "deleted", ids: ids, filter: filter)
    StandardStreams.say("deleted \(count) \(count == 1 ? "job" : "jobs")")
  }
}

struct PauseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Give out no more jobs, of the whole pipeline or of one phase. Kept over restarts.")

  @Option(help: ArgumentHelp("This phase alone.", valueName: "job_type")) var phase: String?
  @OptionGroup var coordinator: CoordinatorOptions

  func run() throws {
    _ = try coordinator.ask("pause", VerbDocument(phase: phase))
    StandardStreams.say("paused \(phase ?? "the pipeline")")
  }
}

struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "resume", abstract: "Undo pause.")

  @Option(help: ArgumentHelp("This phase alone.", valueName: "job_type")) var phase: String?
  @OptionGroup var coordinator: CoordinatorOptions

  func run() throws {
    _ = try coordinator.ask("resume", VerbDocument(phase: phase))
    StandardStreams.say("resumed \(phase ?? "the pipeline")")
  }
}

struct DrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain", abstract: "Have a worker finish what it runs and end.")

  @Argument(help: "The worker's id, as status shows it.") var worker: String
  @OptionGroup var coordinator: CoordinatorOptions

  func run() throws {
    _ = try coordinator.ask("drain", VerbDocument(worker: worker))
    StandardStreams.say("draining \(worker)")
  }
}

/// Nothing named must not mean everything. Called by `run`, since `validate` comes before the parser's own word about an
/// option that it does not know.
private func requireChoice(ids: [String], filter: JobFilterOptions, all: Bool) throws(CommandFailure) {
  let choices = [!ids.isEmpty, !filter.isEmpty, all].count { $0 }
  guard choices == 1 else {
    throw CommandFailure(.usage, "name jobs by id, or by --state, --phase, --error, --id-prefix, or --all")
  }
}

extension CoordinatorOptions {
  /// A requeue that is asked again must not meet jobs that died anew, so it is asked again only where it was cut short.
  private static var countPerRequest: Int { 10_000 }

  /// The coordinator does a bounded number at a time, so that it stays responsive; asks until nothing is left.
  fileprivate func repeating(
    _ verb: String, _ member: String, ids: [String], filter: JobFilterOptions
  ) throws(CommandFailure) -> Int {
    var total = 0
    for arguments in ids.isEmpty ? [filter.arguments()] : ids.map({ filter.arguments(id: $0) }) {
      var done = 0
      repeat {
        let answer = try ask(verb, arguments)
        done = try JSONText.decode([String: Int].self, from: answer.document)[member] ?? 0
        total += done
      } while done >= Self.countPerRequest
    }
    return total
  }
}
