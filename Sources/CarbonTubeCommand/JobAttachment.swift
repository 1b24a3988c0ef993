internal import CarbonTube

/// What happens to one job while somebody looks on: each thing is told once.
struct JobAttachment {
  private let client: PipelineClient
  private let id: String
  private let json: Bool
  private var line = DrawnLine()
  private var lastStep: Step?
  private var lastProgress: Progress?
  /// Where the log goes on, and of which coordinator's.
  private var next: (place: Int, coordinator: String)?

  private struct Step: Encodable, Equatable {
    var event = "step"
    var state: String
    var jobType: String
    var attempt: Int
    var worker: String?

    var words: String {
      state == "running"
        ? "running in \(jobType), attempt \(attempt)\(worker.map { " on \($0)" } ?? "")" : "\(state) in \(jobType)"
    }
  }

  private struct Progress: Encodable, Equatable {
    var event = "progress"
    var progress: Double
    var note: String?

    var words: String {
      "\(Int(min(max(0, progress), 1) * 100)) %\(note.map { $0.isEmpty ? "" : ", \($0)" } ?? "")"
    }
  }

  private struct LogEvent: Encodable {
    var event = "log"
    var atMs: Int64
    var level: String
    var text: String
  }

  init(_ client: PipelineClient, id: String, json: Bool) {
    self.client = client
    self.id = id
    self.json = json
  }

  /// Tells what is new. A coordinator that does not answer has nothing new.
  mutating func look() {
    if let job = try? client.ask(Verbs.Job.self, .init(id: id)) { tell(of: job) }
    tellLog()
  }

  /// Lines that came with the end.
  mutating func finish() {
    tellLog()
    line.clear()
  }

  private mutating func tell(of job: JobDocument) {
    guard JobState(word: job.state)?.isFinal != true else { return }
    let step = Step(state: job.state, jobType: job.jobType, attempt: job.attempt, worker: job.worker)
    if step != lastStep {
      lastStep = step
      lastProgress = nil
      say("job \(id): \(step.words)", step)
    }
    guard let fraction = job.progress else { return }
    let progress = Progress(progress: fraction, note: job.progressNote)
    guard progress != lastProgress else { return }
    lastProgress = progress
    if json || !StandardStreams.errorIsTerminal { return say("job \(id): \(progress.words)", progress) }
    line.draw(progress.words)
  }

  private mutating func tellLog() {
    guard var page = log(after: next?.place) else { return }
    if let coordinator = next?.coordinator, coordinator != page.coordinator {
      guard let anew = log(after: 0) else { return }
      page = anew
    }
    next = (page.next, page.coordinator)
    for line in page.lines {
      say(line.shown, LogEvent(atMs: line.atMs, level: line.level, text: line.text))
    }
  }

  private mutating func say(_ text: String, _ event: some Encodable) {
    if json { return StandardStreams.sayJSON(JSONText.of(event)) }
    line.clear()
    StandardStreams.complain(text)
    if let lastProgress { line.draw(lastProgress.words) }
  }

  private func log(after place: Int?) -> LogsDocument? {
    try? client.ask(Verbs.Logs.self, .init(id: id, after: place, limit: 1_000))
  }
}

/// One line on the terminal that is stderr, drawn over; nothing where it is none.
struct DrawnLine {
  private let isShown = StandardStreams.errorIsTerminal
  private var isOnScreen = false

  mutating func draw(_ text: String) {
    guard isShown else { return }
    isOnScreen = true
    let shown = text.escapingControlCharacters.prefix(max(0, StandardStreams.columns(of: 2) - 1))
    StandardStreams.draw("\r\u{1B}[2K" + shown)
  }

  mutating func clear() {
    guard isOnScreen else { return }
    isOnScreen = false
    StandardStreams.draw("\r\u{1B}[2K")
  }
}
