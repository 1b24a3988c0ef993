internal import ArgumentParser
internal import CarbonTube

struct EnqueueCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enqueue",
    abstract: "Give jobs to a pipeline; prints the id of each once it is stored.",
    usage: "carbontube enqueue [<address>] <pipeline> [<instructions> ...] [<options>]",
    discussion: """
      The address may be left out where --address, --context, CARBONTUBE_ADDRESS or the current context says it; a first word with '://' in it is always \
      an address.

      With --id, the same command given twice makes one job: the second time it says so. With --wait each job is shown \
      once it has ended, and the command exits with 0 only if all succeeded; on a terminal a line tells how many have. --wait-timeout \
      bounds the whole wait.

      Many jobs: '-' or --file reads instructions, one JSON object a line, and stores them as they come; with --jobs a line \
      is {"id": …, "priority": …, "delay": seconds, "instructions": {…}}, each optional. A job without an id of its own gets \
      one made of the run and its line. Whatever interrupts it, the command then says how to go on; no job is stored twice.
      """)

  @Argument(help: "The pipeline's --job-pull, e.g. tcp://127.0.0.1:5050.") var address: String
  @Argument(help: "The pipeline's name.") var pipelineName: String?
  @Argument(help: "A JSON object for each job; '-' reads them from stdin, one a line.")
  var instructions: [String] = []

  @Option(help: ArgumentHelp("Read the jobs from this file, one a line.", valueName: "path"), completion: .file())
  var file: String?
  @Flag(help: "Lines are jobs with members of their own, not bare instructions.") var jobs = false
  @Flag(help: "Pass lines over that are no jobs, and tell them at the end.") var skipMalformed = false
  @Option(help: ArgumentHelp("Go on with an interrupted run: begin with this line.", valueName: "line"))
  var resumeFrom: Int?
  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("The run that is gone on with: the first part of its ids.", valueName: "name"))
  var runName: String?

  @Option(help: "Name the job yourself, so that enqueueing is idempotent. Only with one job.") var id: String?
  @Option(help: "-8 to 7; higher goes first.") var priority = 0
  @Option(help: ArgumentHelp("Start no sooner than this from now.", valueName: "seconds")) var delay: Double?
  @Option(help: ArgumentHelp("Start no sooner than this, e.g. 2030-01-31T12:00:00Z.", valueName: "time"))
  var at: String?
  @Flag(help: "Wait until the jobs have ended; print how, with their final instructions.") var wait = false
  @Option(help: ArgumentHelp("With --wait: give up waiting after this long; the jobs go on.", valueName: "seconds"))
  var waitTimeout: Double?
  @Flag(help: "Print a JSON object for each job.") var json = false
  @Option(
    name: [.customShort("a"), .customLong("address")],
    help: ArgumentHelp("The address, as with other commands, rather than in front.", valueName: "address"))
  var addressOption: String?
  @Option(
    help: ArgumentHelp(
      "The coordinator by its name, rather than its address; see carbontube context.", valueName: "name"),
    completion: .context)
  var context: String?
  @Option(help: ArgumentHelp("How long to wait for the coordinator.", valueName: "seconds")) var timeout = 10.0

  private static var maximumDelay: Int64 { EnqueueRequest.maximumDelayMilliseconds }

  /// After `validate`: what the words mean.
  var pipeline: String { pipelineName ?? "" }

  mutating func validate() throws {
    try settleWords()
    try requireText(pipeline, of: "the pipeline's name")
    guard pipeline.utf8.count <= EnqueueRequest.maximumNameBytes else {
      throw ValidationError("the pipeline's name has more than \(EnqueueRequest.maximumNameBytes) bytes")
    }
    if let id, JobID(id) == nil {
      throw ValidationError(
        "--id '\(excerpt(id))' must be 1 to \(JobID.maximumLength) printable ASCII characters without spaces")
    }
    if id != nil, instructions.count > 1 || isBulk {
      throw ValidationError("--id names one job; give one object of instructions")
    }
    try validateBulk()
    guard NewJob.priorities.contains(priority) else { throw ValidationError("--priority must be -8 to 7") }
    guard delay == nil || at == nil else { throw ValidationError("give either --delay or --at") }
    guard (0.001...86_400).contains(timeout) else { throw ValidationError("--timeout must be 0.001 to 86400 seconds") }
    if let waitTimeout {
      guard wait else { throw ValidationError("--wait-timeout needs --wait") }
      guard (0.001...1e9).contains(waitTimeout) else {
        throw ValidationError("--wait-timeout must be 0.001 to 1000000000 seconds")
      }
    }
    _ = try delayMilliseconds(now: .now())
  }

  func run() throws {
    if isBulk && !wait { return try enqueueBulk() }
    let client = PipelineClient(address, timeoutMilliseconds: Int(timeout * 1_000))
    defer { client.close() }
    let jobs = try fewJobs()
    try CommandFailure.explaining { try client.connect() }
    let answers = try CommandFailure.explaining { try client.enqueue(pipeline: pipeline, jobs: jobs) }
    if wait { try awaitEnds(of: answers, client) } else { for answer in answers { show(answer) } }
    try refuse(answers)
  }

  private func awaitEnds(of answers: [EnqueueAnswer], _ client: PipelineClient) throws(CommandFailure) {
    let ids = answers.filter(\.ok).compactMap(\.id)
    // Whoever does not wait to the end knows what to look for.
    for id in ids { StandardStreams.complain("enqueued \(id)") }
    var vigil = JobVigil(
      client, pipeline: pipeline, timeoutMilliseconds: waitTimeout.map { Int64($0 * 1_000) })
    var failed: [String] = []
    var bar = WaitBar(ids, client, pipeline: pipeline)
    defer { bar.clear() }
    for (index, id) in ids.enumerated() {
      let end =
        bar.isWanted
        ? try vigil.end(of: id) { bar.show(from: index, failed: failed.count) } : try vigil.end(of: id)
      if end.state != .succeeded { failed.append(id) }
      bar.clear()
      if json { StandardStreams.sayJSON(end.json) } else { StandardStreams.say(end.line) }
    }
    guard let first = failed.first else { return }
    throw CommandFailure(
      .refused,
      "\(failed.count) of \(ids.count) \(ids.count == 1 ? "job" : "jobs") did not succeed; "
        + "'carbontube job \(first)' shows why")
  }

  private func show(_ answer: EnqueueAnswer) {
    if json {
      StandardStreams.sayJSON(JSONText.of(AnswerDocument(answer)))
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

  /// A moment is one of this machine's clock; the coordinator is told a duration.
  func delayMilliseconds(now: Timestamp) throws -> Int64 {
    if let delay {
      guard delay >= 0, delay <= Double(Self.maximumDelay) / 1_000 else {
        throw ValidationError("--delay is a number of seconds, from 0 to \(Self.maximumDelay / 1_000), 100 years")
      }
      return Int64((delay * 1_000).rounded(.up))
    }
    guard let at else { return 0 }
    guard let moment = Timestamp(iso8601: at) else {
      throw ValidationError("--at '\(excerpt(at))' is not a time like 2030-01-31T12:00:00Z")
    }
    guard moment - now <= Self.maximumDelay else {
      throw ValidationError("--at '\(excerpt(at))' is more than 100 years away")
    }
    return max(0, moment - now)
  }
}

struct AnswerDocument: Encodable {
  var id: String?
  var state: String
  var message: String?

  init(_ answer: EnqueueAnswer) {
    id = answer.id
    state = answer.code == .ok ? "stored" : answer.code.description
    message = answer.message.isEmpty ? nil : answer.message
  }
}
