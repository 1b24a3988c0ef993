package import JobStorage
package import PipelineModel

extension RunningJob {
  /// Back to the front of its queue, not counted.
  package var givenBack: Settlement {
    Settlement(
      job: id, token: token, from: phase, counters: counters, attempt: nil, effect: .toFront(losses: nil))
  }
}

extension ClaimedJob {
  /// As `RunningJob.givenBack`.
  package func givenBack(from phase: Int = 0) -> Settlement {
    Settlement(
      job: id, token: token, from: phase, counters: counters, attempt: nil, effect: .toFront(losses: nil))
  }

  package func succeeded(from phase: Int = 0, _ attempt: AttemptRecord) -> Settlement {
    Settlement(
      job: id, token: token, from: phase, counters: counters, attempt: attempt, effect: .succeed(instructions: nil))
  }
}
