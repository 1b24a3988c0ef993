internal import FoundationEssentials
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// A request that cannot be carried out, with the answer for whoever sent it.
private struct Refusal: Error {
  var code: ReplyCode
  var message: String
}

/// Requests about jobs, phases and workers. Each answers with one reply; none waits in the event loop.
extension Coordinator {
  func handleRequest(_ frames: [[UInt8]], from route: [UInt8], now: Timestamp) throws(WireError) {
    let request = try Request(decoding: frames[0])
    guard frames.count == 2 else { throw WireError("a request of \(frames.count) frames; it has two") }
    let answer = Answer(coordinator: self, route: route, request: request.request)
    do throws(Refusal) {
      guard request.pipeline.isEmpty || request.pipeline == pipeline.name else {
        throw Refusal(
          code: .invalid, message: "this coordinator runs pipeline '\(pipeline.name)', not '\(request.pipeline)'")
      }
      try carryOut(request.verb, try arguments(in: frames[1]), answer, now: now)
    } catch {
      answer.send(error.code, error.message)
    }
  }

  private func arguments(in payload: [UInt8]) throws(Refusal) -> VerbArguments {
    do {
      let json = try CompressedJSON.json(in: payload, maximumBytes: 1 << 20)
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode(VerbArguments.self, from: Data(json.isEmpty ? Array("{}".utf8) : json))
    } catch {
      throw Refusal(code: .invalid, message: "the arguments are not a JSON object with the members of the verb")
    }
  }

  private func carryOut(
    _ verb: String, _ arguments: VerbArguments, _ answer: Answer, now: Timestamp
  ) throws(Refusal) {
    switch verb {
    case "ping": answer.send(.ok, document: ["pipeline": pipeline.name, "coordinator": name])
    case "status": status(answer, now: now)
    case "totals":
      answer.send(.ok, document: TotalsDocument(meters.totals, pipeline: pipeline, coordinator: name))
    case "drain": try drain(arguments, answer)
    case "job": try whenOpen { () throws(Refusal) in try job(arguments, answer) }
    case "states": try whenOpen { () throws(Refusal) in try states(arguments, answer) }
    case "jobs": try whenOpen { () throws(Refusal) in try jobs(arguments, answer) }
    case "count": try whenOpen { () throws(Refusal) in count(try filter(arguments), 0, after: nil, answer) }
    case "history": try whenOpen { () throws(Refusal) in history(arguments, answer, now: now) }
    case "metrics": try whenOpen { () throws(Refusal) in metrics(arguments, answer, now: now) }
    case "await": awaitEnd(of: try jobID(arguments.id), answer)
    case "cancel": try whenOpen { () throws(Refusal) in try cancel(arguments, answer, now: now) }
    case "requeue": try whenOpen { () throws(Refusal) in try requeue(arguments, answer, now: now) }
    case "delete": try whenOpen { () throws(Refusal) in try delete(arguments, answer, now: now) }
    case "pause": try whenOpen { () throws(Refusal) in try pause(true, arguments, answer) }
    case "resume": try whenOpen { () throws(Refusal) in try pause(false, arguments, answer) }
    default: throw Refusal(code: .invalid, message: "unknown verb '\(verb)'")
    }
  }

  private func whenOpen(_ body: () throws(Refusal) -> Void) throws(Refusal) {
    switch condition {
    case .open: try body()
    case .opening: throw Refusal(code: .unavailable, message: "the store is not open yet, try again later")
    case .down(let reason, _, _): throw Refusal(code: .unavailable, message: reason)
    }
  }

  private func drain(_ arguments: VerbArguments, _ answer: Answer) throws(Refusal) {
    guard let id = WorkerID(arguments.worker ?? ""), drain(id) else {
      throw Refusal(code: .notFound, message: "no worker '\(arguments.worker ?? "")'")
    }
    answer.send(.ok, document: ["worker": id.text])
  }
}

// MARK: - Looking

extension Coordinator {
  private func status(_ answer: Answer, now: Timestamp) {
    guard case .open = condition else { return answer.send(.ok, document: statusDocument(now: now)) }
    run({ store throws(StoreError) in try store.counts() }) { [unowned self] result in
      if case .success(let counts) = result { self.counts = counts }
      answer.send(.ok, document: statusDocument(now: now))
    }
  }

  private func statusDocument(now: Timestamp) -> StatusDocument {
    let phases = pipeline.phases.indices.map { index in
      let serving = roster.workers.values.filter { $0.phases.contains(index) }
      return StatusDocument.Phase(
        jobType: pipeline.phases[index].jobType, waiting: counts.phases[index].waiting,
        delayed: counts.phases[index].delayed, running: counts.phases[index].running,
        dead: counts.phases[index].dead, workers: serving.count,
        slots: serving.reduce(0) { $0 + $1.announcement.concurrency }, paused: paused.phases.contains(index))
    }
    return StatusDocument(
      pipeline: pipeline.name, coordinator: name, uptimeMs: now - startedAt, paused: paused.pipeline, phases: phases,
      succeeded: counts.succeeded, cancelled: counts.cancelled, workers: workerDocuments(now: now),
      store: storeDocument(), malformedMessages: complaints.total)
  }

  private func workerDocuments(now: Timestamp) -> [StatusDocument.Worker] {
    roster.workers.values.sorted { $0.announcement.worker.text < $1.announcement.worker.text }.map { entry in
      let said = entry.announcement
      return StatusDocument.Worker(
        id: said.worker.text, host: said.host, pid: said.processID, jobType: said.jobType,
        concurrency: said.concurrency, inFlight: roster.held(by: entry), succeeded: said.succeeded, failed: said.failed,
        state: entry.disconnectedAt == nil ? said.state.description : "disconnected", plugin: said.plugin,
        pluginFile: said.pluginFile, heartbeatAgeMs: max(0, now - entry.lastHeard))
    }
  }

  private func storeDocument() -> StatusDocument.Store {
    switch condition {
    case .opening: StatusDocument.Store(address: storeAddress, state: "opening")
    case .open: StatusDocument.Store(address: storeAddress, state: "open")
    case .down(let reason, _, _): StatusDocument.Store(address: storeAddress, state: "down", problem: reason)
    }
  }

  private func job(_ arguments: VerbArguments, _ answer: Answer) throws(Refusal) {
    let id = try jobID(arguments.id)
    let (pipeline, progress, log) = (pipeline, progress[id], recentLogs.lines(of: id))
    let changes = recentChanges.changes(of: id)
    run({ store throws(StoreError) in try store.job(id) }) { result in
      switch result {
      case .success(let record?):
        answer.send(
          .ok, document: JobDocument(record, pipeline: pipeline, progress: progress, log: log, changes: changes),
          payloads: [record.instructions] + changes.flatMap { [$0.before, $0.after] })
      case .success(nil): answer.send(.notFound, "no job '\(id)'")
      case .failure(let error): answer.send(.unavailable, error.message)
      }
    }
  }

  /// `{"ids": […]}` → `{"states": […]}`, null for a job that is not there.
  private func states(_ arguments: VerbArguments, _ answer: Answer) throws(Refusal) {
    guard let texts = arguments.ids, texts.count <= 1_000 else {
      throw Refusal(code: .invalid, message: "'ids' must be a list of at most 1000 job ids")
    }
    var ids: [JobID] = []
    for text in texts { ids.append(try jobID(text)) }
    run({ store throws(StoreError) -> [String?] in
      var states: [String?] = []
      for id in ids { states.append(try store.job(id)?.state.description) }
      return states
    }) { result in
      switch result {
      case .success(let states): answer.send(.ok, document: ["states": states])
      case .failure(let error): answer.send(.unavailable, error.message)
      }
    }
  }

  private struct CountDocument: Encodable {
    var count: Int
    /// There are more than those that were counted.
    var more: Bool
  }

  /// As many as one `requeue` or `delete` changes; a page at a time, so that other requests get their turn.
  private func count(_ filter: JobFilter, _ counted: Int, after cursor: String?, _ answer: Answer) {
    run({ store throws(StoreError) in try store.jobs(matching: filter, after: cursor, limit: 1_000) }) {
      [unowned self] result in
      switch result {
      case .success(let page):
        let sum = counted + page.jobs.count
        guard let next = page.next, sum < 10_000 else {
          return answer.send(.ok, document: CountDocument(count: sum, more: page.next != nil))
        }
        count(filter, sum, after: next, answer)
      case .failure(let error): answer.send(.unavailable, error.message)
      }
    }
  }

  private struct PageDocument: Encodable {
    var jobs: [JobDocument]
    var next: String?
  }

  private func jobs(_ arguments: VerbArguments, _ answer: Answer) throws(Refusal) {
    let filter = try filter(arguments)
    let limit = min(max(1, arguments.limit ?? 50), 1_000)
    let (pipeline, cursor) = (pipeline, arguments.cursor)
    run({ store throws(StoreError) in try store.jobs(matching: filter, after: cursor, limit: limit) }) {
      [unowned self] result in
      switch result {
      case .success(let page):
        let jobs = page.jobs.map { JobDocument($0, pipeline: pipeline, progress: progress[$0.id]) }
        answer.send(
          .ok, document: PageDocument(jobs: jobs, next: page.next), payloads: page.jobs.map(\.instructions))
      case .failure(let error): answer.send(.unavailable, error.message)
      }
    }
  }
}

// MARK: - Metrics

extension Coordinator {
  /// The last minutes, the present one included, summed by phase. What was counted in the last seconds may still be on
  /// its way to the store.
  private func metrics(_ arguments: VerbArguments, _ answer: Answer, now: Timestamp) {
    let minutes = Int64(min(max(1, arguments.minutes ?? 60), 7 * 24 * 60))
    let present = now.milliseconds / 60_000
    let pipeline = pipeline
    run({ store throws(StoreError) in try store.metrics(minutes: (present - minutes + 1)...present) }) { result in
      switch result {
      case .success(let found):
        var sums = pipeline.phases.indices.map { PhaseMetrics(minute: present, phase: $0) }
        for metrics in found { sums[metrics.phase].add(metrics) }
        let phases = sums.map { MetricsDocument.Phase($0, jobType: pipeline.phases[$0.phase].jobType) }
        answer.send(.ok, document: MetricsDocument(minutes: minutes, phases: phases))
      case .failure(let error): answer.send(.unavailable, error.message)
      }
    }
  }
}

extension Coordinator {
  /// At most 1,440 steps within 7 days.
  private func history(_ arguments: VerbArguments, _ answer: Answer, now: Timestamp) {
    let minutes = Int64(min(max(1, arguments.minutes ?? 60), 7 * 24 * 60))
    let step = max(Int64(min(max(1, arguments.step ?? 1), 24 * 60)), (minutes + 1_439) / 1_440)
    let last = now.milliseconds / 60_000
    // Steps begin at multiples of their length, so that a chart that is drawn again shows the same ones.
    let range = ((last - minutes + step) / step * step)...last
    let pipeline = pipeline
    run({ store throws(StoreError) in try store.metrics(minutes: range) }) { result in
      switch result {
      case .success(let found):
        answer.send(.ok, document: HistoryDocument(found, range: range, step: step, pipeline: pipeline))
      case .failure(let error): answer.send(.unavailable, error.message)
      }
    }
  }
}

// MARK: - Acting

extension Coordinator {
  private func cancel(_ arguments: VerbArguments, _ answer: Answer, now: Timestamp) throws(Refusal) {
    let id = try jobID(arguments.id)
    run({ store throws(StoreError) in try store.cancel(id, now: now) }) { [unowned self] result in
      switch result {
      case .success(let cancelled?):
        if let lease = cancelled.lease {
          roster.settle(lease.token)
          carryOut([.cancel(lease.worker, [lease.token])], now: now)
        }
        let changed = !cancelled.was.isFinal
        if changed { awaited.look(for: id) }
        answer.send(
          changed ? .ok : .invalid, changed ? "" : "job '\(id)' is \(cancelled.was) already",
          document: ["was": cancelled.was.description])
      case .success(nil): answer.send(.notFound, "no job '\(id)'")
      case .failure(let error): answer.send(.unavailable, error.message)
      }
    }
  }

  private func requeue(_ arguments: VerbArguments, _ answer: Answer, now: Timestamp) throws(Refusal) {
    let filter = try filter(arguments)
    run({ store throws(StoreError) in try store.requeue(matching: filter, limit: 10_000, now: now) }) {
      [unowned self] result in
      switch result {
      case .success(let requeued):
        for (phase, count) in requeued where queued.indices.contains(phase) { queued[phase] += count }
        answer.send(.ok, document: ["requeued": requeued.values.reduce(0, +)])
      case .failure(let error): answer.send(.unavailable, error.message)
      }
    }
  }

  private func delete(_ arguments: VerbArguments, _ answer: Answer, now: Timestamp) throws(Refusal) {
    let filter = try filter(arguments)
    run({ store throws(StoreError) in try store.delete(matching: filter, limit: 10_000, now: now) }) { result in
      switch result {
      case .success(let count): answer.send(.ok, document: ["deleted": count])
      case .failure(let error): answer.send(.unavailable, error.message)
      }
    }
  }

  private func pause(_ paused: Bool, _ arguments: VerbArguments, _ answer: Answer) throws(Refusal) {
    var named: [Int]?
    if let jobType = arguments.phase { named = try phases(named: jobType) }
    let phases = named
    run({ store throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) in
      if let phases {
        for phase in phases { try store.setPaused(paused, phase: phase) }
      } else {
        try store.setPaused(paused, phase: nil)
      }
      return try store.paused()
    }) { [unowned self] result in
      switch result {
      case .success(let state):
        self.paused = state
        answer.send(.ok, document: ["paused": paused])
      case .failure(let error): answer.send(.unavailable, error.message)
      }
    }
  }

  private func jobID(_ text: String?) throws(Refusal) -> JobID {
    guard let text, let id = JobID(text) else {
      throw Refusal(code: .invalid, message: "'id' must be a job id of 1 to \(JobID.maximumLength) plain characters")
    }
    return id
  }

  private func phases(named jobType: String) throws(Refusal) -> [Int] {
    let phases = pipeline.phases(of: jobType)
    guard !phases.isEmpty else {
      let names = pipeline.phases.map(\.jobType).joined(separator: ", ")
      throw Refusal(code: .notFound, message: "no phase '\(jobType)'; pipeline \(pipeline.name) has \(names)")
    }
    return phases
  }

  private func filter(_ arguments: VerbArguments) throws(Refusal) -> JobFilter {
    var filter = JobFilter(errorContains: arguments.error, idPrefix: arguments.idPrefix)
    if arguments.id != nil { filter.id = try jobID(arguments.id) }
    if let words = arguments.states {
      var states: Set<JobState> = []
      for word in words {
        guard let state = JobState(word: word) else {
          throw Refusal(code: .invalid, message: "unknown state '\(word)'")
        }
        states.insert(state)
      }
      filter.states = states
    }
    if let jobType = arguments.phase {
      let phases = try phases(named: jobType)
      guard phases.count == 1 else {
        throw Refusal(code: .invalid, message: "'\(jobType)' stands in the pipeline \(phases.count) times")
      }
      filter.phase = phases[0]
    }
    return filter
  }
}
