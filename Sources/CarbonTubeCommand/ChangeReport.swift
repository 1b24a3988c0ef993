internal import ArgumentParser

/// What became of one thing that a command was to change: the one shape of --json for all of them.
struct ChangeReport: Encodable {
  /// As it is typed, e.g. `requeue`.
  var command: String
  var ok: Bool
  /// What was named: a job, phase, worker or file. Nil: all that match.
  var target: String?
  /// How many were changed, where they were not named one by one.
  var count: Int?
  /// The action that goes on with it in the background.
  var action: String?
  /// Why it was not done.
  var message: String?

  func say() { StandardStreams.sayJSON(JSONText.of(self)) }
}

/// How a command that changes something tells what it did.
struct ReportOptions: ParsableArguments {
  @Flag(
    help: """
      Print JSON: an object for each job, phase, worker or file named, or one for all that match, with command and ok, \
      and as they apply target, count, action (of --detach) and message (why not).
      """)
  var json = false

  /// Runs `change`; a refusal of the coordinator's is told in JSON as well, where JSON is asked for.
  func tellingRefusal(
    of command: String, target: String? = nil, _ change: () throws(CommandFailure) -> Void
  ) throws(CommandFailure) {
    do throws(CommandFailure) {
      try change()
    } catch {
      if json, error.status == .refused {
        ChangeReport(command: command, ok: false, target: target, message: error.message).say()
      }
      throw error
    }
  }

  /// - Parameter line: what people are told.
  func say(_ line: String, _ report: ChangeReport) {
    if json { report.say() } else { StandardStreams.say(line) }
  }
}
