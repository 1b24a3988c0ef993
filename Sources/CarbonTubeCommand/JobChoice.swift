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
  /// As on the wire and in the command's name.
  var verb: String
  /// As in the answer's document and in what is said.
  var done: String
  /// The states it can work on, where ids name the jobs.
  var states: [JobState]
  /// The states it works on, where no --state is given and no id.
  var statesOfAll: [JobState]

  static let cancel = JobAction(
    verb: "cancel", done: "cancelled", states: [.waiting, .delayed, .running],
    statesOfAll: [.waiting, .delayed, .running])
  static let requeue = JobAction(
    verb: "requeue", done: "requeued", states: [.dead, .cancelled, .delayed], statesOfAll: [.dead])
  static let delete = JobAction(
    verb: "delete", done: "deleted", states: JobState.allCases.filter { $0 != .running },
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
    try options.report.tellingRefusal(of: verb) { () throws(CommandFailure) in
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
        if report.json { ChangeReport(command: verb, ok: false, target: id, message: problem.message).say() }
      } else {
        changed += 1
        let document = ChangeReport(command: verb, ok: true, target: id)
        if report.json || verb == "cancel" { report.say("cancelled \(id)", document) }
      }
    }
    if !report.json, verb != "cancel", changed > 0 || problems.isEmpty {
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
    let isBare = instructions != nil || (verb != "requeue" && selection.isEmpty)
    let arguments =
      !isBare ? selection.arguments(id: id, states: states) : VerbDocument(id: id)
    let answer = try connection.request(verb, arguments, instructions: instructions)
    switch answer.code {
    case .ok, .duplicate:
      let document = try JSONText.decode(ActionDocument.self, from: answer.body)
      guard document.count(of: done) == 0 else { return nil }
      return CommandFailure(.refused, try reason(id, selection, state: document.state, connection))
    case .notFound, .invalid, .unfit: return CommandFailure(.refused, "\(connection.address): \(answer.message)")
    case .busy, .unavailable, .stopping: throw CommandFailure(.unavailable, "\(connection.address): \(answer.message)")
    }
  }

  private struct States: Decodable {
    var states: [String?]
  }

  /// - Parameter state: as the coordinator told it, if it did.
  private func reason(
    _ id: String, _ selection: JobSelection, state: String?, _ connection: CoordinatorConnection
  ) throws(CommandFailure) -> String {
    var state = state
    if state == nil {
      let answer = try connection.ask("states", VerbDocument(ids: [id]))
      state = try JSONText.decode(States.self, from: answer.document).states.first ?? nil
    }
    guard let state else { return "\(connection.address): no job '\(id)'" }
    guard let known = JobState(word: state), states.contains(known) else {
      return "job '\(id)' is \(state) and cannot be \(done); what can: \(listOfStates)"
    }
    return selection.isEmpty
      ? "job '\(id)' is \(state) and was not \(done)" : "job '\(id)' is \(state), and not one that the options name"
  }

  // MARK: Those that match

  private func changeMatching(
    _ selection: JobSelection, _ options: ActionOptions, _ connection: CoordinatorConnection
  ) throws(CommandFailure) {
    let answer = try connection.ask(verb, selection.arguments(states: statesOfAll))
    let document = try JSONText.decode(ActionDocument.self, from: answer.document)
    var count = document.count(of: done)
    if let action = document.action {
      guard !options.detach else {
        return options.report.say(action, ChangeReport(command: verb, ok: true, action: action))
      }
      count = try BackgroundAction(id: action, done: done, connection: connection).follow(document)
    }
    options.report.say("\(done) \(jobs(count))", ChangeReport(command: verb, ok: true, count: count))
  }
}
