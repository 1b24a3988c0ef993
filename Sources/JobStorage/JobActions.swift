public import PipelineModel

/// What people, and limits of what is kept, do to jobs: cancel, requeue, delete, one job or all that match.
public protocol JobActions: AnyObject {
  /// Takes a job out. A running one becomes cancelled at once: its token is stale from now on, and its timeline keeps an
  /// attempt `cancelled` that began with its claim.
  /// - Returns: the state the job had and, where it was running, the lease that was broken; nil: no such job.
  ///   A final state means that nothing was changed.
  func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)?

  /// A requeue of this one job, dead, cancelled or delayed, that has `instructions` from the same write on.
  /// - Returns: the state the job had and what became of it, as of `perform`; nil: no such job. Where the step changed
  ///   nothing, its instructions are what they were.
  func requeue(
    _ id: JobID, with instructions: [UInt8], now: Timestamp
  ) throws(StoreError) -> (was: JobState, step: ActionStep)?

  /// One bounded step of an action on all jobs that match: looks at `limit` jobs at most and changes those that are meant.
  /// Jobs that are enqueued after the first step are not touched.
  ///
  /// - `cancel`: as `cancel(_:now:)`, the oldest first.
  /// - `requeue`: puts dead jobs, and cancelled ones where `filter.states` names them, back into the queue of the phase
  ///   they stopped in, counters at zero; delayed jobs become due now where `filter.states` names them, and their counters
  ///   stay. First the dead, then the cancelled, then the delayed, each in the order they were enqueued. Where `filter.id` names the job and `filter.states` nothing, any of the three is meant.
  /// - `delete`: removes jobs that are not running, the oldest first.
  ///
  /// - Parameter cursor: `next` of the step before; nil for the first step.
  func perform(
    _ action: FilterAction, matching filter: JobFilter, after cursor: String?, limit: Int, now: Timestamp
  ) throws(StoreError) -> ActionStep

  /// Removes finished jobs beyond the policy, oldest first, at most `limit` in one call, and metrics older than
  /// `metricsBefore` (a minute). Dead jobs count by `RetentionPolicy.maximumDead` alone.
  func prune(_ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp) throws(StoreError) -> Int
}

extension JobActions {
  /// All steps of a requeue at once, `limit` jobs at most in sum: for stores of a known size.
  /// - Returns: how many, by phase.
  package func requeue(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> [Int: Int] {
    var moved: [Int: Int] = [:]
    _ = try performAll(.requeue, matching: filter, limit: limit, now: now) {
      moved.merge($0.requeued, uniquingKeysWith: +)
    }
    return moved
  }

  /// See `requeue`.
  package func delete(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> Int {
    try performAll(.delete, matching: filter, limit: limit, now: now) { _ in }
  }

  private func performAll(
    _ action: FilterAction, matching filter: JobFilter, limit: Int, now: Timestamp, each: (ActionStep) -> Void
  ) throws(StoreError) -> Int {
    var changed = 0
    var cursor: String?
    while changed < limit {
      let step = try perform(action, matching: filter, after: cursor, limit: limit - changed, now: now)
      changed += step.changed
      each(step)
      cursor = step.next
      if cursor == nil { break }
    }
    return changed
  }
}
