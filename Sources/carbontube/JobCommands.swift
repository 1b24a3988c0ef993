internal import ArgumentParser
internal import CarbonTube

struct JobCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "job", abstract: "Show one job: its state, instructions, error and attempts.")

  @Argument(help: "The job's id.") var id: String
  @OptionGroup var coordinator: CoordinatorOptions
  @Flag(help: "Print JSON.") var json = false

  func validate() throws { try requireJobID(id) }

  func run() throws {
    let answer = try coordinator.ask("job", VerbDocument(id: id))
    let instructions = answer.payloads.first.map(JSONText.json) ?? Array("{}".utf8)
    if json {
      let (job, text) = (
        String(decoding: answer.document, as: UTF8.self), String(decoding: instructions, as: UTF8.self)
      )
      StandardStreams.sayJSON(#"{"job":\#(job),"instructions":\#(text)}"#)
    } else {
      let job = try JSONText.decode(JobDocument.self, from: answer.document)
      for line in job.lines(instructions: JSONText.shown(instructions)) { StandardStreams.say(line) }
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
  @Flag(help: "Print how many there are, and no more.") var count = false

  private struct Page: Decodable {
    var jobs: [JobDocument]
    var next: String?
  }

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
    guard !count || !json else { throw ValidationError("give either --count or --json") }
  }

  func run() throws {
    let connection = try coordinator.connected()
    if count { try showCount(connection) } else { try list(connection) }
  }

  private struct Count: Decodable {
    var count: Int?
    var more: Bool?
  }

  private func showCount(_ connection: CoordinatorConnection) throws {
    let answer = try connection.ask("count", filter.arguments())
    let action = try JSONText.decode(ActionDocument.self, from: answer.document)
    if let id = action.action {
      let counted = try BackgroundAction(id: id, done: "counted", connection: connection).follow(action)
      return StandardStreams.say(String(counted))
    }
    let found = try JSONText.decode(Count.self, from: answer.document)
    StandardStreams.say("\(found.more == true ? "more than " : "")\(found.count ?? 0)")
  }

  private func list(_ connection: CoordinatorConnection) throws {
    var cursor: String?
    var left = limit
    var table = TextTable(["JOB", "STATE", "PHASE", "ATTEMPT", "UPDATED", "ERROR"])
    repeat {
      let answer = try connection.ask("jobs", filter.arguments(cursor: cursor, limit: min(left, 200)))
      let page = try JSONText.decode(Page.self, from: answer.document)
      for (job, payload) in zip(page.jobs, answer.payloads) {
        if json {
          let instructions = JSONText.onOneLine(JSONText.json(in: payload))
          StandardStreams.sayJSON(#"{"job":\#(JSONText.of(job)),"instructions":\#(instructions)}"#)
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

    var summary: String { JobError(self).summary }
  }

  struct Line: Codable {
    var atMs: Int64
    var level: String
    var text: String
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
  var progressNote: String?
  var error: Failure?
  var attempts: [Attempt]
  /// Its last ones; nil in lists.
  var log: [Line]?

  var row: [String] {
    [
      id, state, jobType, String(attempt), Timestamp(milliseconds: updatedAtMs).iso8601,
      error?.summary ?? "",
    ]
  }

  func lines(instructions: String) -> [String] {
    var lines = ["job \(id): \(state) in \(jobType)"]
    lines.append("  enqueued      \(Timestamp(milliseconds: enqueuedAtMs).iso8601), priority \(priority)")
    lines.append("  updated       \(Timestamp(milliseconds: updatedAtMs).iso8601)")
    if let dueAtMs { lines.append("  due           \(Timestamp(milliseconds: dueAtMs).iso8601)") }
    if let worker { lines.append("  worker        \(worker)") }
    if let progress {
      let note = progressNote.map { $0.isEmpty ? "" : ", \($0)" } ?? ""
      lines.append("  progress      \(Int(min(max(0, progress), 1) * 100)) %\(note)")
    }
    lines.append("  instructions  \(instructions)")
    if let error {
      let place = error.location.isEmpty ? "" : " (\(error.location))"
      lines.append("  error         \(error.summary)\(place)")
      lines += error.stderrTail.split(separator: "\n").map { "    stderr      \($0)" }
    }
    lines += attempts.map { "  attempt       \($0.line)" }
    lines += (log ?? []).map { "  log           \(Timestamp(milliseconds: $0.atMs).iso8601) \($0.level) \($0.text)" }
    return lines
  }
}

extension JobDocument.Attempt {
  /// An attempt that never began has no start.
  var line: String {
    let start = Timestamp(milliseconds: startedAtMs)
    let took = Timestamp(milliseconds: endedAtMs) - start
    let time = startedAtMs > 0 ? ", began \(start.iso8601), took \(took > 0 ? "\(took) ms" : "less than 1 ms")" : ""
    return "\(jobType) #\(number): \(outcome) on \(worker)\(time)"
  }
}

extension JobError {
  init(_ failure: JobDocument.Failure) {
    self.init(
      type: failure.type, message: failure.message, location: failure.location, standardErrorTail: failure.stderrTail)
  }
}

extension JobDocument.Failure {
  init(_ error: JobError) {
    self.init(
      type: error.type, message: error.message, location: error.location, stderrTail: error.standardErrorTail)
  }
}
