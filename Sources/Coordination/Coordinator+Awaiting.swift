internal import ControlProtocol
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// Clients that wait for the end of a job.
extension Coordinator {
  /// Most jobs that are waited for have only just been enqueued and end soon, so the store is not asked before the next
  /// tick.
  func awaitEnd(of job: JobID, _ answer: AnswerTo<Verbs.Await>) {
    // What the same client has just enqueued may still be looked at.
    guard checks.waiting == 0 else {
      return checks.check([]) { [unowned self] _ in addAwaiting(job, answer) }
    }
    addAwaiting(job, answer)
  }

  private func addAwaiting(_ job: JobID, _ answer: AnswerTo<Verbs.Await>) {
    guard awaited.add(answer.plain.requester, for: job, turn: turns.number, now: moment().instant) else {
      return answer.refuse(.busy, "too many requests wait for jobs; try again later")
    }
  }

  /// - Parameter instructions: as a payload frame.
  func tellEnd(of job: JobID, _ instructions: [UInt8], _ state: JobState = .succeeded) {
    for waiter in awaited.take(job) {
      AnswerTo<Verbs.Await>(plain: Answer(coordinator: self, requester: waiter))
        .send(EndDocument(id: job.text, state: state.description), payloads: [instructions])
    }
  }

  /// Asks the store about jobs that may have ended without this coordinator's knowing what became of them.
  func lookForAwaited(now: Moment) {
    guard isOpen, let ids = awaited.beginReading(before: turns.firstOutsideStore) else { return }
    read { reader throws(StoreError) -> [JobState?] in
      try reader.states(of: ids)
    } then: { [unowned self] result in
      for found in awaited.endReading(ids, try? result.get()) {
        let id = found.job
        if found.isThere { readEnd(of: id) } else { refuseWaiters(of: id, .notFound, "no job '\(id)'") }
      }
    }
  }

  private func readEnd(of id: JobID) {
    read { reader throws(StoreError) in
      try reader.job(id)
    } then: { [unowned self] result in
      switch result {
      case .success(let record?):
        if record.state.isFinal { tellEnd(of: id, record.instructions, record.state) }
      case .success(nil): refuseWaiters(of: id, .notFound, "no job '\(id)'")
      case .failure(let error) where error.isTransient: awaited.markUnsure(id)
      case .failure(let error): refuseWaiters(of: id, .unavailable, error.message)
      }
    }
  }

  private func refuseWaiters(of id: JobID, _ code: ReplyCode, _ message: String) {
    for waiter in awaited.take(id) {
      Answer(coordinator: self, requester: waiter).send(code, message)
    }
  }

  /// Everybody who waits for an answer.
  func refuseRequests(_ code: ReplyCode, _ message: String) {
    for waiter in awaited.takeAll() {
      Answer(coordinator: self, requester: waiter).send(code, message)
    }
    queries.refuseAll(message)
    for requester in actions.takeRequesters() {
      Answer(coordinator: self, requester: requester).send(code, message)
    }
    freshCounts.answerAll()
  }
}
