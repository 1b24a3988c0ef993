internal import ArgumentParser
internal import CarbonTube

struct EnqueueCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enqueue",
    abstract: "Give jobs to a pipeline; prints the id of each once it is stored.",
    usage: "carbontube enqueue <address> <pipeline> [<instructions> ...] [<options>]",
    discussion: """
      With --id, the same command given twice makes one job: the second time it says so. Many jobs at once: \
      '-' reads instructions from stdin, one JSON object a line. With --wait each job is shown once it has ended, and the \
      command exits with 0 only if all succeeded.
      """)

  @Argument(help: "The pipeline's --job-pull, e.g. tcp://127.0.0.1:5050.") var address: String
  @Argument(help: "The pipeline's name.") var pipeline: String
  @Argument(help: "A JSON object for each job; '-' reads them from stdin, one a line.")
  var instructions: [String] = ["{}"]

  @Option(help: "Name the job yourself, so that enqueueing is idempotent. Only with one job.") var id: String?
  @Option(help: "-8 to 7; higher goes first.") var priority = 0
  @Option(help: ArgumentHelp("Start no sooner than this from now.", valueName: "seconds")) var delay: Double?
  @Option(help: ArgumentHelp("Start no sooner than this, e.g. 2030-01-31T12:00:00Z.", valueName: "time"))
  var at: String?
  @Flag(help: "Wait until the jobs have ended; print how, with their final instructions.") var wait = false
  @Flag(help: "Print a JSON object for each job.") var json = false
  @Option(help: ArgumentHelp("How long to wait for the coordinator.", valueName: "seconds")) var timeout = 10.0

  func validate() throws {
    if let problem = addressProblem(address, binding: false) { throw ValidationError(problem) }
    if let id, JobID(id) == nil {
      throw ValidationError(
        "--id '\(id)' must be 1 to \(JobID.maximumLength) printable ASCII characters without spaces")
    }
    if id != nil, instructions.count > 1 || instructions == ["-"] {
      throw ValidationError("--id names one job; give one object of instructions")
    }
    guard NewJob.priorities.contains(priority) else { throw ValidationError("--priority must be -8 to 7") }
    guard delay == nil || at == nil else { throw ValidationError("give either --delay or --at") }
    if let delay, !(0...1e10).contains(delay) { throw ValidationError("--delay is a number of seconds, 0 or more") }
    guard (0.001...86_400).contains(timeout) else { throw ValidationError("--timeout must be 0.001 to 86400 seconds") }
    _ = try due(now: .now())
  }

  func run() throws {
    let texts = InstructionsSource.texts(instructions)
    let notBefore = try due(now: .now())
    let jobs = try texts.map { text throws(CommandFailure) in
      let bytes = Array(text.utf8)
      do throws(InstructionsError) {
        try InstructionsJSON.check(bytes)
      } catch {
        throw CommandFailure(.data, "\(error.message) (given: \(excerpt(text)))")
      }
      return PipelineClient.Job(id: id, instructions: bytes, priority: priority, notBefore: notBefore)
    }
    let client = PipelineClient(address, timeoutMilliseconds: Int(timeout * 1_000))
    defer { client.close() }
    let answers = try CommandFailure.explaining {
      try client.connect()
      return try client.enqueue(pipeline: pipeline, jobs: jobs)
    }
    if wait { try awaitEnds(answers, client) } else { for answer in answers { show(answer) } }
    try refuse(answers)
  }

  private func awaitEnds(_ answers: [EnqueueAnswer], _ client: PipelineClient) throws(CommandFailure) {
    var failed = 0
    let ids = answers.filter(\.ok).compactMap(\.id)
    for id in ids {
      let end = try CommandFailure.explaining { try client.waitForEnd(of: id, pipeline: pipeline) }
      failed += end.state == .succeeded ? 0 : 1
      show(end)
    }
    guard failed > 0 else { return }
    throw CommandFailure(
      .refused,
      "\(failed) of \(ids.count) \(ids.count == 1 ? "job" : "jobs") did not succeed; carbontube job ID shows why")
  }

  private func show(_ end: JobEnd) {
    let instructions = String(decoding: end.instructions, as: UTF8.self)
    if json {
      let id = JSONText.of(end.id)
      StandardStreams.say(#"{"id":\#(id),"status":"\#(end.state)","instructions":\#(instructions)}"#)
    } else {
      StandardStreams.say("\(end.id)  \(end.state)  \(instructions)")
    }
  }

  private func show(_ answer: EnqueueAnswer) {
    if json {
      StandardStreams.say(JSONText.of(AnswerDocument(answer)))
    } else if answer.ok, let id = answer.id {
      StandardStreams.say(id)
      if answer.code == .duplicate {
        StandardStreams.complain("carbontube: job '\(id)' was enqueued before; \(answer.message)")
      }
    }
  }

  private func refuse(_ answers: [EnqueueAnswer]) throws(CommandFailure) {
    guard let refused = answers.first(where: { !$0.ok }) else { return }
    let count = answers.count { !$0.ok }
    let share = answers.count == 1 ? "" : "\(count) of \(answers.count) jobs refused: "
    let passing: Set<ReplyCode> = [.busy, .unavailable, .stopping]
    throw CommandFailure(
      passing.contains(refused.code) ? .unavailable : .data, "\(address): \(share)\(refused.message)")
  }

  private func due(now: Timestamp) throws -> Timestamp? {
    if let delay { return now + Int64(delay * 1_000) }
    guard let at else { return nil }
    guard let moment = Timestamp(iso8601: at) else {
      throw ValidationError("--at '\(at)' is not a time like 2030-01-31T12:00:00Z")
    }
    return moment
  }
}

private struct AnswerDocument: Encodable {
  var id: String?
  var status: String
  var message: String?

  init(_ answer: EnqueueAnswer) {
    id = answer.id
    status = answer.code == .ok ? "stored" : answer.code.description
    message = answer.message.isEmpty ? nil : answer.message
  }
}

/// The instructions of a command line, or of stdin where it says `-`.
enum InstructionsSource {
  static func texts(_ arguments: [String]) -> [String] {
    guard arguments == ["-"] else { return arguments }
    var lines: [String] = []
    while let line = readLine() {
      if line.contains(where: { !$0.isWhitespace }) { lines.append(line) }
    }
    return lines
  }
}

/// Enough of a text to recognize it.
func excerpt(_ text: String) -> String {
  text.count <= 60 ? text : text.prefix(57) + "..."
}
