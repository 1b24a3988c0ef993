internal import ArgumentParser
internal import CarbonTube

struct JobCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "job", abstract: "Show one job: its state, instructions, error and attempts.")

  @Argument(help: "The job's id.") var id: String
  @OptionGroup var coordinator: CoordinatorOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let answer = try coordinator.ask("job", VerbDocument(id: id))
    let instructions = answer.payloads.first.map(JobDocument.text) ?? "{}"
    if json {
      StandardStreams.say(
        #"{"job":\#(String(decoding: answer.document, as: UTF8.self)),"instructions":\#(instructions)}"#)
    } else {
      let job = try JSONText.decode(JobDocument.self, from: answer.document)
      for line in job.lines(instructions: instructions) { StandardStreams.say(line) }
    }
  }
}

struct JobsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "List jobs, newest first; all, or those that match.",
    usage: "carbontube jobs [<options>]")

  @OptionGroup var filter: JobFilterOptions
  @OptionGroup var coordinator: CoordinatorOptions
  @Option(help: "How many at most.") var limit = 50
  @Flag(help: "Print a JSON object for each job.") var json = false

  private struct Page: Decodable {
    var jobs: [JobDocument]
    var next: String?
  }

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
  }

  func run() throws {
    var cursor: String?
    var left = limit
    var table = TextTable(["JOB", "STATE", "PHASE", "ATTEMPT", "UPDATED", "ERROR"])
    repeat {
      let answer = try coordinator.ask("jobs", filter.arguments(cursor: cursor, limit: min(left, 200)))
      let page = try JSONText.decode(Page.self, from: answer.document)
      for (job, payload) in zip(page.jobs, answer.payloads) {
        if json {
          StandardStreams.say(#"{"job":\#(JSONText.of(job)),"instructions":\#(JobDocument.text(payload))}"#)
        } else {
          table.add(job.row)
        }
      }
      left -= page.jobs.count
      cursor = page.next
    } while cursor != nil && left > 0
    if !json { table.say() }
  }
}

struct JobDocument: Codable {
  struct Attempt: Codable {
    var jobType: String
    var number: Int
    var worker: String
    var plugin: String
    var startedAtMs: Int64
    var endedAtMs: Int64
    var outcome: String
  }

  struct Failure: Codable {
    var type: String
    var message: String
    var location: String
    var stderrTail: String
  }

  var id: String
  var state: String
  var phase: Int
  var jobType: String
  var priority: Int
  var attempt: Int
  var failures: Int
  var crashes: Int
  var enqueuedAtMs: Int64
  var updatedAtMs: Int64
  var dueAtMs: Int64?
  var worker: String?
  var progress: Double?
  var error: Failure?
  var attempts: [Attempt]

  /// The JSON text in a payload frame.
  static func text(_ payload: [UInt8]) -> String {
    let json = try? CompressedJSON.json(in: payload)
    return json.map { String(decoding: $0, as: UTF8.self) } ?? #""(damaged)""#
  }

  var row: [String] {
    [
      id, state, jobType, String(attempt), Timestamp(milliseconds: updatedAtMs).iso8601,
      error.map { "\($0.type): \($0.message)" } ?? "",
    ]
  }

  func lines(instructions: String) -> [String] {
    var lines = ["job \(id): \(state) in \(jobType)"]
    lines.append("  enqueued      \(Timestamp(milliseconds: enqueuedAtMs).iso8601), priority \(priority)")
    lines.append("  updated       \(Timestamp(milliseconds: updatedAtMs).iso8601)")
    if let dueAtMs { lines.append("  due           \(Timestamp(milliseconds: dueAtMs).iso8601)") }
    if let worker { lines.append("  worker        \(worker)") }
    if let progress { lines.append("  progress      \(Int(progress * 100)) %") }
    lines.append("  instructions  \(instructions)")
    if let error {
      let place = error.location.isEmpty ? "" : " (\(error.location))"
      lines.append("  error         \(error.type): \(error.message)\(place)")
      lines += error.stderrTail.split(separator: "\n").map { "    stderr      \($0)" }
    }
    for attempt in attempts {
      let took = attempt.startedAtMs > 0 ? " in \(max(0, attempt.endedAtMs - attempt.startedAtMs)) ms" : ""
      lines.append(
        "  attempt       \(attempt.jobType) #\(attempt.number): \(attempt.outcome)\(took) on \(attempt.worker)")
    }
    return lines
  }
}
