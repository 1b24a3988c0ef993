internal import ControlProtocol
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// Requests that look and change nothing.
extension Coordinator {
  /// Instructions in one answer, in bytes.
  private static var maximumPageBytes: Int { 16 << 20 }

  func status(_ answer: AnswerTo<Verbs.Status>) {
    askCounts { [unowned self] _ in answer.send(statusDocument(now: moment())) }
  }

  func totals(_ answer: AnswerTo<Verbs.Totals>) {
    answer.send(TotalsDocument(meters.totals, measuresShown, pipeline: pipeline, coordinator: name))
  }

  private func statusDocument(now: Moment) -> StatusDocument {
    StatusDocument(
      pipeline: pipeline.name, coordinator: name, uptimeMs: now.instant - startedAt.instant,
      paused: turns.paused.pipeline,
      phases: pipeline.phases.indices.map(phaseDocument), succeeded: counts.succeeded, cancelled: counts.cancelled,
      deadBytes: counts.deadBytes, workers: workerDocuments(now: now), store: storeDocument(),
      malformedMessages: connections.malformedMessages, warnings: DeadJobWarning.text(on: counts).map { [$0] } ?? [])
  }

  private func phaseDocument(_ index: Int) -> StatusDocument.Phase {
    let workers = roster.workers.values.filter { $0.phases.contains(index) }
    let counts = counts.phases[index]
    return StatusDocument.Phase(
      jobType: pipeline.phases[index].jobType, waiting: counts.waiting, delayed: counts.delayed,
      running: counts.running, dead: counts.dead, workers: workers.count,
      slots: workers.reduce(0) { $0 + ($1.takesJobs ? $1.hello.concurrency : 0) },
      paused: turns.paused.phases.contains(index), note: note(on: Array(workers), waiting: counts.waiting))
  }

  /// Why nothing of a phase is done; nil where something can be.
  private func note(on workers: [WorkerEntry], waiting: Int) -> String? {
    guard !workers.contains(where: \.takesJobs) else { return nil }
    let jobs = waiting == 0 ? "" : ": \(waiting) \(waiting == 1 ? "job waits" : "jobs wait")"
    let telling =
      workers.sorted { $0.hello.worker.text < $1.hello.worker.text }
      .first { !$0.reason.isEmpty } ?? workers.first
    guard let worker = telling else { return "nobody serves it" + jobs }
    return (worker.reason.isEmpty ? worker.state : "\(worker.state): \(worker.reason)") + jobs
  }

  private func workerDocuments(now: Moment) -> [StatusDocument.Worker] {
    roster.workers.values.sorted { $0.hello.worker.text < $1.hello.worker.text }.map { entry in
      let said = entry.hello
      return StatusDocument.Worker(
        id: said.worker.text, host: said.host, pid: said.processID, jobType: said.jobType,
        concurrency: said.concurrency, inFlight: roster.held(by: entry), succeeded: said.succeeded, failed: said.failed,
        state: entry.state, reason: entry.reason.isEmpty ? nil : entry.reason, plugin: said.plugin,
        pluginFile: said.pluginFile, heartbeatAgeMs: max(0, now.instant - entry.lastHeard))
    }
  }

  private func storeDocument() -> StatusDocument.Store {
    switch health.condition {
    case .opening: StatusDocument.Store(address: storeAddress, state: "opening")
    case .open: StatusDocument.Store(address: storeAddress, state: "open")
    case .down(let reason, _): StatusDocument.Store(address: storeAddress, state: "down", problem: reason)
    }
  }

  func job(_ arguments: Verbs.JobArguments, _ answer: AnswerTo<Verbs.Job>) throws(Refusal) {
    let id = try JobID(named: arguments.id)
    read(for: answer.plain) { reader throws(StoreError) in
      try reader.job(id)
    } then: { [unowned self] record in
      guard let record else { return answer.refuse(.notFound, "no job '\(id)'") }
      let changes = journal.changes(of: id)
      let document = JobDocument(
        record, pipeline: pipeline, progress: journal.progress(of: id), at: moment(), log: journal.lines(of: id),
        changes: changes)
      answer.send(
        document, payloads: [record.instructions] + changes.flatMap { [$0.before, $0.after] })
    }
  }

  func states(_ arguments: Verbs.States.Arguments, _ answer: AnswerTo<Verbs.States>) throws(Refusal) {
    let ids = try arguments.jobIDs()
    read(for: answer.plain) { reader throws(StoreError) in
      try reader.states(of: ids)
    } then: { [unowned self] states in
      send(answer) { StatesDocument(states: states.map { $0?.description }) }
    }
  }

  func jobs(_ arguments: Verbs.Jobs.Arguments, _ answer: AnswerTo<Verbs.Jobs>) throws(Refusal) {
    let filter = try arguments.filter.filter(in: pipeline)
    let limit = arguments.pageLength
    let cursor = try arguments.pageCursor()
    let search = try arguments.search()
    read(for: answer.plain) { reader throws(StoreError) in
      if let search { return try search.look(through: reader, filter, after: cursor, limit: limit) }
      return InstructionsSearch.Found(
        page: try reader.jobs(matching: filter, after: cursor, limit: limit, maximumBytes: Self.maximumPageBytes))
    } then: { [unowned self] found in
      let (page, examined) = (found.page, search == nil ? nil : found.examined)
      let (pipeline, progress, now) = (pipeline, page.jobs.map { journal.progress(of: $0.id) }, moment())
      send(answer, payloads: page.jobs.map(\.instructions)) {
        let jobs = zip(page.jobs, progress).map { JobDocument($0, pipeline: pipeline, progress: $1, at: now) }
        return JobsDocument(jobs: jobs, next: page.next, examined: examined)
      }
    }
  }
}

// MARK: - Metrics

extension Coordinator {
  /// What was counted and is not in the store yet.
  private var unstoredMetrics: [PhaseMetrics] {
    meters.untaken + turns.metrics
  }

  /// The last minutes, the present one included, summed by phase.
  func metrics(_ arguments: Verbs.Metrics.Arguments, _ answer: AnswerTo<Verbs.Metrics>, now: Moment) {
    let present = now.wall.milliseconds / 60_000
    let range = (present - arguments.span + 1)...present
    read(for: answer.plain) { reader throws(StoreError) in
      try reader.metrics(minutes: range)
    } then: { [unowned self] found in
      var sums = pipeline.phases.indices.map { PhaseMetrics(minute: present, phase: $0) }
      for metrics in found { sums[metrics.phase].add(metrics) }
      for metrics in unstoredMetrics where range.contains(metrics.minute) { sums[metrics.phase].add(metrics) }
      let phases = sums.map { MetricsDocument.Phase($0, jobType: pipeline.phases[$0.phase].jobType) }
      answer.send(MetricsDocument(minutes: arguments.span, phases: phases, measures: measuresShown))
    }
  }

  func history(_ arguments: Verbs.History.Arguments, _ answer: AnswerTo<Verbs.History>, now: Moment) {
    let steps = HistorySteps(
      minutes: arguments.span, length: arguments.stepLength, present: now.wall.milliseconds / 60_000)
    read(for: answer.plain) { reader throws(StoreError) in
      try reader.metrics(minutes: steps.range)
    } then: { [unowned self] found in
      let (pipeline, metrics) = (pipeline, found + unstoredMetrics)
      send(answer) { HistoryDocument(metrics, steps: steps, pipeline: pipeline) }
    }
  }
}
