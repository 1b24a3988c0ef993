internal import JobStorage
internal import Logging
internal import PipelineModel

/// What is done now and then, and after every job that ends.
extension Coordinator {
  /// Hands the jobs that just ended to the hook that wants them, with what the store keeps of them.
  func tellFinished() {
    defer { finished.removeAll(keepingCapacity: true) }
    guard !finished.isEmpty, let jobFinished = settings.hooks.jobFinished else { return }
    let ids = finished
    run(
      { store throws(StoreError) -> [JobRecord] in
        var records: [JobRecord] = []
        for id in ids { if let record = try store.job(id) { records.append(record) } }
        return records
      },
      then: { [unowned self] result in
        guard case .success(let records) = result else { return }
        for record in records {
          let job = PipelineHooks.FinishedJob(
            id: record.id, state: record.state, instructions: record.instructions, error: record.error)
          hooks.call { _ in jobFinished(job) }
        }
      })
  }

  /// Lets the store do something between two turns.
  func run<Value>(
    _ work: @escaping (any JobStore) throws(StoreError) -> Value,
    then answer: @escaping (Result<Value, StoreError>) -> Void
  ) {
    errands.append { [unowned self] in
      lane.submit(
        work,
        answer: { [unowned self] result in
          laneBusy = false
          answer(result)
          if case .failure(let error) = result { storeFailed(error, now: .now()) }
        })
    }
  }

  func keepOwnership(now: Timestamp) {
    guard case .open = condition, !laneBusy, errands.isEmpty else { return }
    run({ store throws(StoreError) in try store.keepOwnership(now: now) }, then: { _ in })
  }

  /// Writes the metrics, prunes what is over the limits, and corrects the guess of what is queued.
  func keepHouse(now: Timestamp) {
    guard case .open = condition else { return }
    pending.turn.metrics += meters.take()
    let retention = settings.retention
    let oldestMetrics = now.milliseconds / 60_000 - Self.metricsMinutes
    run(
      { store throws(StoreError) -> StoreCounts in
        _ = try store.prune(retention, metricsBefore: oldestMetrics, limit: 10_000, now: now)
        return try store.counts()
      },
      then: { [unowned self] result in
        guard case .success(let counts) = result else { return }
        self.counts = counts
        queued = counts.phases.map(\.waiting)
        if nextDue == nil, counts.phases.contains(where: { $0.delayed > 0 }) { nextDue = now }
      })
  }

  /// Metrics are kept for a week.
  static var metricsMinutes: Int64 { 7 * 24 * 60 }
}
