internal import JobStorage
internal import Logging
internal import PipelineModel

/// What is done now and then, and after every job that ends.
extension Coordinator {
  /// Hands the jobs that just ended to the hook that wants them, with what the store keeps of them.
  func tellFinished(_ jobs: [JobID]) {
    guard settings.hooks.jobFinished != nil else { return }
    finishedFeed.add(jobs)
    readFinished()
  }

  private func readFinished() {
    guard let jobFinished = settings.hooks.jobFinished, let ids = finishedFeed.beginReading() else { return }
    read { reader -> [JobRecord] in
      // One that cannot be read is that job's failure.
      ids.compactMap { id in (try? reader.job(id)) ?? nil }
    } then: { [unowned self] result in
      finishedFeed.endReading()
      guard case .success(let records) = result else { return }
      for record in records {
        let job = PipelineHooks.FinishedJob(
          id: record.id, state: record.state, instructions: record.instructions, error: record.error)
        hooks.call(bytes: record.instructions.count) { _ in jobFinished(job) }
      }
      readFinished()
    }
  }

  /// Every few seconds.
  func maintain(now: Moment) {
    clockTrust.observe(now)
    recountQueues()
    if let warning = deadWarning.due(on: counts, now: now.instant) { logger.warning("\(warning)") }
    let dropped = hooks.takeDropped() + finishedFeed.takeDropped()
    if dropped > 0 { logger.warning("\(dropped) calls of hooks were dropped: the hooks are slower than the jobs") }
    let (attempts, dead) = journal.takeSuppressed()
    if attempts > 0 { logger.info("\(attempts) more attempts failed") }
    if dead > 0 { logger.warning("\(dead) more jobs are dead; 'carbontube jobs --state dead' lists them") }
    guard isOpen else { return }
    turns.add(meters.take())
  }

  /// Due times outlive this coordinator: so must what they are counted from.
  func keepTimeline() {
    guard isOpen, !executor.isBusy, !executor.hasTasks else { return }
    let isAnythingDelayed = turns.nextDue != nil || !turns.isEmpty
    guard let offset = clock.offsetToStore(isAnythingDelayed: isAnythingDelayed) else { return }
    run({ store throws(StoreError) in try store.setTimelineOffset(offset) }) { [unowned self] result in
      if case .success = result { clock.stored(offset: offset) }
    }
  }

  /// Corrects the guess of what is queued.
  private func recountQueues() {
    guard isOpen else { return }
    let turn = turns.number
    askCounts { [unowned self] isFresh in
      // A turn that went meanwhile knows better than the counts.
      guard isFresh, turn == turns.number, !executor.isBusy else { return }
      turns.recount(counts, now: moment().steady)
    }
  }

  /// Removes some of the jobs beyond the limits, where it is time.
  /// - Returns: false where it is not.
  func prune(now: Moment) -> Bool {
    guard pruning.isDue(now: now.instant) else { return false }
    pruning.begin(now: now.instant)
    clockTrust.observe(now)
    var policy = settings.retention
    let age = policy.maximumAgeMilliseconds
    if !clockTrust.allowsDeleting(olderThan: age, at: now.instant) {
      policy.maximumAgeMilliseconds = longestDurationMilliseconds
    }
    let trusted = clockTrust.allowsDeleting(olderThan: Self.metricsMinutes * 60_000, at: now.instant)
    let oldestMetrics = trusted ? now.wall.milliseconds / 60_000 - Self.metricsMinutes : 0
    let (limit, wall) = (pruning.size.limit, now.wall)
    submit(
      { [policy] store throws(StoreError) -> (pruned: Int, microseconds: Int64) in
        let watch = StopWatch()
        let pruned = try store.prune(policy, metricsBefore: oldestMetrics, limit: limit, now: wall)
        return (pruned, watch.microseconds)
      },
      then: { [unowned self] result in
        guard case .success(let bite) = result else { return }
        pruning.end(pruned: bite.pruned, limit: limit, microseconds: bite.microseconds)
      })
    return true
  }

  /// Metrics are kept for a week.
  static var metricsMinutes: Int64 { 7 * 24 * 60 }
}
