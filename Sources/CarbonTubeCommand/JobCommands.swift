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
    let answer = try coordinator.ask(Verbs.Job.self, .init(id: id))
    let instructions = answer.payloads.first.map(JSONText.json) ?? Array("{}".utf8)
    if json {
      let (job, text) = (
        String(decoding: answer.json, as: UTF8.self), String(decoding: instructions, as: UTF8.self)
      )
      StandardStreams.sayJSON(#"{"job":\#(job),"instructions":\#(text)}"#)
    } else {
      let job = try answer.document()
      for line in job.lines(instructions: JSONText.shown(instructions), style: .current()) { StandardStreams.say(line) }
    }
  }
}

extension JobDocument {
  static let columns: [TableColumns.Column] = [
    .usual(.name("JOB")), .usual(.state("STATE")), .usual(.words("PHASE")), .usual(.figure("ATTEMPT", spare: 2)),
    .wide(.figure("FAILURES")), .wide(.figure("CRASHES")), .wide(.figure("PRIORITY")),
    .usual(.figure("UPDATED", spare: 1)), .wide(.figure("ENQUEUED")), .wide(.figure("DUE")), .wide(.words("WORKER")),
    .wide(.words("PROGRESS")), .usual(.words("ERROR")),
  ]

  /// A cell for each of `columns`.
  ///
  /// - Parameter style: of what it is written on; tells whether moments are told by their age.
  func row(_ style: OutputStyle) -> [String] {
    func moment(_ milliseconds: Int64) -> String { style.text(Timestamp(milliseconds: milliseconds)) }
    return [
      id, state, jobType, String(attempt), String(failures), String(crashes), String(priority), moment(updatedAtMs),
      moment(enqueuedAtMs), dueAtMs.map(moment) ?? "", worker ?? "",
      progress.map { "\(Int(min(max(0, $0), 1) * 100)) %" } ?? "", error?.summary ?? "",
    ]
  }

  private func moment(_ milliseconds: Int64, _ style: OutputStyle) -> String {
    let moment = Timestamp(milliseconds: milliseconds)
    return moment.iso8601 + (style.now == nil ? "" : " (\(style.text(moment)))")
  }

  func lines(instructions: String, style: OutputStyle) -> [String] {
    var lines = ["job \(id): \(state) in \(jobType)"]
    lines.append("  enqueued      \(moment(enqueuedAtMs, style)), priority \(priority)")
    lines.append("  updated       \(moment(updatedAtMs, style))")
    if let dueAtMs { lines.append("  due           \(moment(dueAtMs, style))") }
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
  var summary: String { JobError(self).summary }

  init(_ error: JobError) {
    self.init(
      type: error.type, message: error.message, location: error.location, stderrTail: error.standardErrorTail)
  }
}
