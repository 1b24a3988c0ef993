public import PipelineModel

extension JobFilter {
  /// Whether `job` meets every condition that is set.
  public func matches(_ job: JobRecord) -> Bool {
    matches(id: job.id, state: job.state, phase: job.phase) && matches(updatedAt: job.updatedAt)
      && matches(error: job.error)
  }

  /// The conditions that need no more than a job's head; `matches(updatedAt:)` and `matches(error:)` are the rest.
  public func matches(id: JobID, state: JobState, phase: Int) -> Bool {
    if let wanted = self.id, wanted != id { return false }
    if let states, !states.contains(state) { return false }
    if let wanted = self.phase, wanted != phase { return false }
    if let idPrefix, !id.text.utf8.starts(with: idPrefix.utf8) { return false }
    return true
  }

  /// See `matches(id:state:phase:)`.
  public func matches(updatedAt: Timestamp) -> Bool { changed?.contains(updatedAt) ?? true }

  /// See `matches(id:state:phase:)`.
  public func matches(error: JobError?) -> Bool {
    guard let errorContains, !errorContains.isEmpty else { return true }
    guard let error else { return false }
    return error.type.contains(bytesOf: errorContains) || error.message.contains(bytesOf: errorContains)
  }

  /// The states an action works on, in its order. A requeue touches cancelled and delayed jobs only where they, or their
  /// state, are named: somebody wanted them to stop, or to wait.
  public func states(for action: FilterAction) -> [JobState] {
    let possible: [JobState] =
      switch action {
      case .cancel: [.waiting, .delayed, .running]
      case .requeue: [.dead, .cancelled, .delayed]
      case .delete: [.waiting, .delayed, .succeeded, .dead, .cancelled]
      }
    if let states { return possible.filter(states.contains) }
    return action == .requeue && id == nil ? [.dead] : possible
  }
}

extension JobState {
  /// Whether a requeue that names the job can put it back.
  public var canBeRequeued: Bool { JobFilter(id: JobID("-")).states(for: .requeue).contains(self) }
}

extension AttemptRecord {
  /// The attempt of a running job that was cancelled in the store.
  public static func cancelled(_ lease: RunningJob, now: Timestamp) -> AttemptRecord {
    AttemptRecord(
      phase: lease.phase, number: lease.attempt, worker: lease.worker, plugin: "", startedAt: lease.claimedAt,
      endedAt: now, outcome: .cancelled)
  }
}

extension String {
  /// Byte-wise, so that it means the same in every store.
  func contains(bytesOf part: String) -> Bool {
    let text = Array(utf8)
    let wanted = Array(part.utf8)
    guard text.count >= wanted.count else { return false }
    return (0...(text.count - wanted.count)).contains { text[$0...].starts(with: wanted) }
  }
}
