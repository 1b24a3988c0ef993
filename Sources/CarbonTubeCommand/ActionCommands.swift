internal import ArgumentParser
internal import CarbonTube

struct CancelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "Take jobs out, whether they wait or run: those named, those that match, or --all.",
    usage: "carbontube cancel [<ids> ...] [<options>]")

  @Argument(help: "Ids of jobs.") var ids: [String] = []
  @OptionGroup var filter: JobFilterOptions
  @OptionGroup var span: JobSpanOptions
  @Flag(help: "Every job that is not over.") var all = false
  @OptionGroup var action: ActionOptions
  @OptionGroup var coordinator: CoordinatorOptions

  func run() throws {
    let choice = try JobChoice(ids: ids, try JobSelection(filter, span), all: all)
    try JobAction.cancel.run(on: choice, with: action, coordinator)
  }
}

struct RequeueCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "requeue",
    abstract: "Try jobs again: those named, dead ones that match, or --all dead ones.",
    usage: "carbontube requeue [<ids> ...] [<options>]",
    discussion: """
      Ids name dead, cancelled and delayed jobs alike. Without ids, cancelled and delayed jobs are meant only where \
      --state names them.

      With --instructions one job goes on in the phase it stopped in with these in the place of its own.
      """)

  @Argument(help: "Ids of jobs.") var ids: [String] = []
  @OptionGroup var filter: JobFilterOptions
  @OptionGroup var span: JobSpanOptions
  @Flag(help: "Every dead job.") var all = false
  @Option(
    help: ArgumentHelp(
      "Of one job: a JSON object that takes the place of its instructions, @FILE, or - for stdin.", valueName: "json"))
  var instructions: String?
  @OptionGroup var action: ActionOptions
  @OptionGroup var coordinator: CoordinatorOptions

  func validate() throws {
    guard instructions != nil else { return }
    try requireText(instructions, of: "--instructions")
    guard ids.count == 1, filter.isEmpty, span.isEmpty, !all else {
      throw ValidationError("--instructions is for one job: name it by its id, and by nothing else")
    }
  }

  func run() throws {
    let choice = try JobChoice(ids: ids, try JobSelection(filter, span), all: all)
    let replacement = try instructions.map { word throws(CommandFailure) in try InstructionsSource.one(word) }
    try JobAction.requeue.run(on: choice, with: action, coordinator, instructions: replacement)
  }
}

struct DeleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete jobs that are not running: those named, those that match, or --all.",
    usage: "carbontube delete [<ids> ...] [<options>]")

  @Argument(help: "Ids of jobs.") var ids: [String] = []
  @OptionGroup var filter: JobFilterOptions
  @OptionGroup var span: JobSpanOptions
  @Flag(help: "Every job that is not running.") var all = false
  @OptionGroup var action: ActionOptions
  @OptionGroup var coordinator: CoordinatorOptions

  func run() throws {
    let choice = try JobChoice(ids: ids, try JobSelection(filter, span), all: all)
    try JobAction.delete.run(on: choice, with: action, coordinator)
  }
}

struct PauseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Give out no more jobs, of the whole pipeline or of one phase. Kept over restarts.",
    usage: "carbontube pause [<options>]")

  @Option(help: ArgumentHelp("This phase alone.", valueName: "job_type")) var phase: String?
  @OptionGroup var report: ReportOptions
  @OptionGroup var coordinator: CoordinatorOptions

  func validate() throws { try requireText(phase, of: "--phase") }

  func run() throws {
    try PhaseChange<Verbs.Pause>(done: "paused").run(on: phase, report, coordinator)
  }
}

struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Undo pause.", usage: "carbontube resume [<options>]")

  @Option(help: ArgumentHelp("This phase alone.", valueName: "job_type")) var phase: String?
  @OptionGroup var report: ReportOptions
  @OptionGroup var coordinator: CoordinatorOptions

  func validate() throws { try requireText(phase, of: "--phase") }

  func run() throws {
    try PhaseChange<Verbs.Resume>(done: "resumed").run(on: phase, report, coordinator)
  }
}

/// What is done to a phase, or to the whole pipeline.
private struct PhaseChange<V: Verb> where V.Arguments == Verbs.PhaseArguments {
  var done: String

  func run(on phase: String?, _ report: ReportOptions, _ coordinator: CoordinatorOptions) throws(CommandFailure) {
    try report.tellingRefusal(of: V.name, target: phase) { () throws(CommandFailure) in
      _ = try coordinator.ask(V.self, .init(phase: phase))
    }
    report.say("\(done) \(phase ?? "the pipeline")", ChangeReport(command: V.name, ok: true, target: phase))
  }
}
