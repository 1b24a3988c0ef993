internal import ControlProtocol
internal import JobStorage
internal import Logging
internal import PipelineModel
internal import WireProtocol

/// What is said of jobs that do not succeed, and of what phases log: in the log, and to whoever follows.
extension Coordinator {
  func noteFailure(_ lease: Lease, _ settlement: Settlement, _ error: JobError, now: Moment) {
    var isDead = false
    if case .bury = settlement.effect { isDead = true }
    let failed = JobJournal.FailedAttempt(
      job: lease.job, phase: pipeline.phases[lease.phase].jobType, number: lease.attempt, worker: lease.worker,
      build: settlement.attempt?.plugin ?? "", outcome: settlement.attempt?.outcome ?? .lost, reason: error.summary,
      isDead: isDead)
    guard journal.note(failed, now: now.wall, instant: now.instant) else { return }
    logger.log(
      level: failed.isDead ? .warning : .info, "\(failed.text)",
      metadata: [
        "job": "\(failed.job)", "phase": "\(failed.phase)", "attempt": "\(failed.number)", "reason": "\(failed.reason)",
        "outcome": "\(failed.outcome)", "worker": "\(failed.worker)", "build": "\(failed.build)",
      ])
  }

  func noteLog(_ line: LogLine, now: Moment) {
    let phase = roster.workers[line.worker]?.hello.jobType
    journal.note(line, phase: phase, now: now.wall)
    var metadata: Logger.Metadata = ["worker": "\(line.worker)"]
    if let job = line.job { metadata["job"] = "\(job)" }
    if let phase { metadata["phase"] = "\(phase)" }
    logger.log(
      level: Logger.Level(line.level), "\(line.job.map { "job \($0): " } ?? "")\(line.text)", metadata: metadata)
    if let logged = settings.hooks.jobLogged {
      hooks.call(bytes: line.text.utf8.count, isPassing: true) { _ in logged(line.job, line.text) }
    }
  }

  func logs(_ arguments: Verbs.Logs.Arguments, _ answer: AnswerTo<Verbs.Logs>) throws(Refusal) {
    var filter = EventJournal.Filter()
    if let id = arguments.id { filter.job = try JobID(named: id) }
    if let phase = arguments.phase {
      _ = try pipeline.phases(named: phase)
      filter.phase = phase
    }
    if let word = arguments.level {
      guard let level = LogLine.Level(word: word) else {
        throw Refusal(
          code: .invalid, message: "unknown level '\(word.prefix(64))'; the levels are debug, info, warning, error")
      }
      filter.level = level
    }
    let limit = min(max(1, arguments.limit ?? 200), EventJournal.pageLimit)
    let page = journal.page(after: arguments.after, filter, limit: limit)
    answer.send(LogsDocument(page, coordinator: name))
  }
}

extension LogLine.Level {
  init?(word: String) {
    switch word {
    case "debug": self = .debug
    case "info": self = .info
    case "warning": self = .warning
    case "error": self = .error
    default: return nil
    }
  }
}

extension Logger.Level {
  fileprivate init(_ level: LogLine.Level) {
    switch level {
    case .debug: self = .debug
    case .info: self = .info
    case .warning: self = .warning
    case .error: self = .error
    }
  }
}

extension LogsDocument {
  init(_ page: EventJournal.Page, coordinator: String) {
    self.init(
      coordinator: coordinator,
      lines: page.entries.map {
        Line(
          atMs: $0.at.milliseconds, level: "\($0.level)", text: $0.text, job: $0.job?.text, phase: $0.phase,
          worker: $0.worker?.text, attempt: $0.attempt, build: $0.build)
      }, next: page.next, dropped: page.dropped)
  }
}
