internal import ArgumentParser
internal import CarbonTube

/// What a command that changes jobs was told to change: those named, those that match, or all. Nothing named never means
/// everything.
struct JobChoice {
  /// Each once, in the order given; empty: those that match.
  var ids: [String]
  var selection: JobSelection

  init(ids: [String], _ selection: JobSelection, all: Bool) throws {
    // Thrown while the command runs, not while it is parsed: a misspelt option is to be told before.
    guard all ? ids.isEmpty && selection.isEmpty : !ids.isEmpty || !selection.isEmpty else {
      throw CommandFailure(
        .usage,
        "name jobs by id, or by --state, --phase, --error, --id-prefix, --since, --until, or give --all by itself")
    }
    do {
      for id in ids { try requireJobID(id) }
    } catch let error as ValidationError {
      throw CommandFailure(.usage, error.message)
    }
    var seen: Set<String> = []
    self.ids = ids.filter { seen.insert($0).inserted }
    self.selection = selection
  }
}

/// How a command handles what the coordinator does in the background.
struct ActionOptions: ParsableArguments {
  @Flag(help: "Where it takes longer, print the action's id and do not wait for its end.") var detach = false
  @OptionGroup var report: ReportOptions
}

/// A change of many jobs at once.
struct JobAction {
  var verb: any ChangeVerb.Type
  /// As in the answer's document and in what is said.
  var done: String
  /// The states it can work on, where ids name the jobs.
  var states: [JobState]
  /// The states it works on, where no --state is given and no id.
  var statesOfAll: [JobState]

  /// As on the wire and in the command's name.
  private var command: String { verb.name }

  static let cancel = JobAction(
    verb: Verbs.Cancel.self, done: "cancelled", states: [.waiting, .delayed, .running],
    statesOfAll: [.waiting, .delayed, .running])
  static let requeue = JobAction(
    verb: Verbs.Requeue.self, done: "requeued", states: [.dead, .cancelled, .delayed], statesOfAll: [.dead])
  static let delete = JobAction(
    verb: Verbs.Delete.self, done: "deleted", states: JobState.allCases.filter { $0 != .running },
    statesOfAll: JobState.allCases.filter { $0 != .running })

  /// - Parameter instructions: what a requeue of one job puts in the place of its own.
  func run(
    on choice: JobChoice, with options: ActionOptions, _ coordinator: CoordinatorOptions, instructions: [UInt8]? = nil
  ) throws(CommandFailure) {
    let possible = states.map(\.description)
    if let impossible = choice.selection.filter.state.first(where: { !possible.contains($0) }) {
      throw CommandFailure(.usage, "\(impossible) jobs cannot be \(done); what can: \(listOfStates)")
    }
    let connection = try coordinator.connected()
    guard choice.ids.isEmpty else { return try change(choice, options.report, connection, instructions) }
    try options.report.tellingRefusal(of: command) { () throws(CommandFailure) in
      try changeMatching(choice.selection, options, connection)
    }
  }

  private var listOfStates: String { states.map(\.description).joined(separator: ", ") }

  private func jobs(_ count: Int) -> String { "\(count) \(count == 1 ? "job" : "jobs")" }

  // MARK: Those named

  /// All that can be changed is, whatever becomes of the others.
  private func change(
    _ choice: JobChoice, _ report: ReportOptions, _ connection: CoordinatorConnection, _ instructions: [UInt8]?
  ) throws(CommandFailure) {
    var changed = 0
    var problems: [CommandFailure] = []
    for id in choice.ids {
      if let problem = try changeOne(id, choice.selection, connection, instructions) {
        problems.append(problem)
        if report.json { ChangeReport(command: command, ok: false, target: id, message: problem.message).say() }
      } else {
        changed += 1
        let document = ChangeReport(command: command, ok: true, target: id)
        if report.json || command == "cancel" { report.say("cancelled \(id)", document) }
      }
    }
    if !report.json, command != "cancel", changed > 0 || problems.isEmpty {
      StandardStreams.say("\(done) \(jobs(changed))")
    }
    guard let first = problems.first else { return }
    guard choice.ids.count > 1 else { throw first }
    for problem in problems { StandardStreams.complain("carbontube: \(problem.message)") }
    throw CommandFailure(.refused, "\(problems.count) of \(choice.ids.count) jobs could not be \(done)")
  }

  /// - Returns: why it was not changed.
  private func changeOne(
    _ id: String, _ selection: JobSelection, _ connection: CoordinatorConnection, _ instructions: [UInt8]?
  ) throws(CommandFailure) -> CommandFailure? {
    // A verb that is given nothing but the id says best why it cannot.
    let isBare = instructions != nil || (command != "requeue" && selection.isEmpty)
    let arguments =
      !isBare ? selection.arguments(id: id, states: states) : JobFilterArguments(id: id)
    let answer = try connection.request(verb, arguments, instructions: instructions)
    switch answer.code {
    case .ok, .duplicate:
      guard try JSONText.decode(ChangeDocument.self, from: answer.body).count == 0 else { return nil }
      return CommandFailure(.refused, try reason(id, selection, connection))
    case .notFound, .invalid, .unfit: return CommandFailure(.refused, "\(connection.address): \(answer.message)")
    case .busy, .unavailable, .stopping: throw CommandFailure(.unavailable, "\(connection.address): \(answer.message)")
    }
  }

  private func reason(
    _ id: String, _ selection: JobSelection, _ connection: CoordinatorConnection
  ) throws(CommandFailure) -> String {
    let states = try connection.ask(Verbs.States.self, .init(ids: [id])).document().states
    guard let state = states.first ?? nil else { return "\(connection.address): no job '\(id)'" }
    guard let known = JobState(word: state), self.states.contains(known) else {
      return "job '\(id)' is \(state) and cannot be \(done); what can: \(listOfStates)"
    }
    return selection.isEmpty
      ? "job '\(id)' is \(state) and was not \(done)" : "job '\(id)' is \(state), and not one that the options name"
  }

  // MARK: Those that match

  private func changeMatching(
    _ selection: JobSelection, _ options: ActionOptions, _ connection: CoordinatorConnection
  ) throws(CommandFailure) {
    let document = try answer(to: verb, selection.arguments(states: statesOfAll), connection)
    var count = document.count
    if case .action(let action) = document {
      guard !options.detach else {
        return options.report.say(action.action, ChangeReport(command: command, ok: true, action: action.action))
      }
      count = try BackgroundAction(id: action.action, done: done, connection: connection).follow(action)
    }
    options.report.say("\(done) \(jobs(count))", ChangeReport(command: command, ok: true, count: count))
  }

  private func answer<V: ChangeVerb>(
    to verb: V.Type, _ arguments: JobFilterArguments, _ connection: CoordinatorConnection
  ) throws(CommandFailure) -> ChangeDocument {
    try connection.ask(verb, arguments).document()
  }
}

extension ChangeDocument {
  /// How many jobs were changed, so far.
  fileprivate var count: Int {
    switch self {
    case .was: 1
    case .ended(_, let count): count
    case .action(let action): action.changed
    }
  }
}
