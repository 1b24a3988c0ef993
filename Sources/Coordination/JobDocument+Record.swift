internal import ControlProtocol
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

extension JobDocument {
  init(
    _ record: JobRecord, pipeline: PipelineDefinition, progress: (fraction: Double, note: String)?, at now: Moment,
    log: [RecentLogs.Line]? = nil, changes: [RecentChanges.Change]? = nil
  ) {
    func name(of phase: Int) -> String {
      pipeline.phases.indices.contains(phase) ? pipeline.phases[phase].jobType : ""
    }
    let isRunning = record.state == .running
    self.init(
      id: record.id.text, state: record.state.description, phase: record.phase, jobType: name(of: record.phase),
      priority: record.priority, attempt: record.attempt, failures: record.failures, crashes: record.crashes,
      enqueuedAtMs: record.enqueuedAt.milliseconds, updatedAtMs: record.updatedAt.milliseconds,
      // Due times are told on another timeline than what is shown.
      dueAtMs: record.dueAt.map { now.wall + ($0 - now.steady) }?.milliseconds, worker: record.worker?.text,
      progress: isRunning ? progress?.fraction : nil, progressNote: isRunning ? progress?.note : nil,
      error: record.error.map(Failure.init), attempts: record.attempts.map { Attempt($0, jobType: name(of: $0.phase)) },
      log: log?.map { Line(atMs: $0.at.milliseconds, level: "\($0.level)", text: $0.text) },
      changes: changes?.map { Change(phase: $0.phase, jobType: name(of: $0.phase)) })
  }
}

extension JobDocument.Failure {
  fileprivate init(_ error: JobError) {
    self.init(
      type: error.type, message: error.message, location: error.location, stderrTail: error.standardErrorTail)
  }
}

extension JobDocument.Attempt {
  fileprivate init(_ record: AttemptRecord, jobType: String) {
    self.init(
      jobType: jobType, number: record.number, worker: record.worker.text, plugin: record.plugin,
      startedAtMs: record.startedAt.milliseconds, endedAtMs: record.endedAt.milliseconds,
      outcome: record.outcome.description)
  }
}
