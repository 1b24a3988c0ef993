internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// Clients that wait for the end of a job.
extension Coordinator {
  private static var lookedUpAtOnce: Int { 100 }

  private struct EndDocument: Encodable {
    var id: String
    var state: String
  }

  /// Most jobs that are waited for have only just been enqueued and end soon, so the store is not asked before the next
  /// tick.
  func awaitEnd(of job: JobID, _ answer: Answer) {
    let waiter = AwaitedJobs.Waiter(route: answer.route, request: answer.request)
    guard awaited.add(waiter, for: job, turn: turnNumber) else {
      return answer.send(.busy, "\(AwaitedJobs.maximumWaiters) requests wait for jobs; try again later")
    }
  }

  /// - Parameter instructions: as a payload frame.
  func tellEnd(of job: JobID, _ instructions: [UInt8], _ state: JobState = .succeeded) {
    for waiter in awaited.take(job) {
      Answer(coordinator: self, route: waiter.route, request: waiter.request)
        .send(.ok, document: EndDocument(id: job.text, state: state.description), payloads: [instructions])
    }
  }

  /// Asks the store about jobs that may have ended without this coordinator's knowing what became of them.
  func lookForAwaited() {
    guard !awaited.isEmpty, case .open = condition else { return }
    let ids = awaited.takeUnsure(
      before: pending.turn.enqueues.isEmpty ? .max : turnNumber, limit: Self.lookedUpAtOnce)
    guard !ids.isEmpty else { return }
    run({ store throws(StoreError) -> [JobRecord?] in
      var records: [JobRecord?] = []
      for id in ids { records.append(try store.job(id)) }
      return records
    }) { [unowned self] result in
      switch result {
      case .success(let records): for (id, record) in zip(ids, records) { tell(id, record) }
      case .failure: for id in ids { awaited.look(for: id) }
      }
    }
  }

  private func tell(_ id: JobID, _ record: JobRecord?) {
    guard let record else {
      for waiter in awaited.take(id) {
        Answer(coordinator: self, route: waiter.route, request: waiter.request).send(.notFound, "no job '\(id)'")
      }
      return
    }
    if record.state.isFinal { tellEnd(of: id, record.instructions, record.state) }
  }

  func refuseAwaiting() {
    for waiter in awaited.takeAll() {
      Answer(coordinator: self, route: waiter.route, request: waiter.request)
        .send(.stopping, "the coordinator is stopping")
    }
  }
}
