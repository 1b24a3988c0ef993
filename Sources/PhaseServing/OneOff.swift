internal import PipelineModel

/// When a worker ends by itself: after so many jobs, or when there is nothing to do. A pure value.
struct OneOff {
  /// A coordinator gives what waits to an idle worker at once, so that a worker that is known to it and was given nothing
  /// for this long has seen the end of the queue.
  static let emptyMilliseconds: Int64 = 2_000

  let maximumJobs: Int?
  let idleMilliseconds: Int64?
  let endsWhenEmpty: Bool
  private var idleSince: Instant?
  private var emptySince: Instant?

  init(maximumJobs: Int?, idleMilliseconds: Int64?, endsWhenEmpty: Bool) {
    self.maximumJobs = maximumJobs
    self.idleMilliseconds = idleMilliseconds
    self.endsWhenEmpty = endsWhenEmpty
  }

  /// False for a worker that serves until it is told to end.
  var endsByItself: Bool { maximumJobs != nil || idleMilliseconds != nil || endsWhenEmpty }

  /// How many jobs may be begun beside those that have ended and those that run.
  func remainingJobs(ended: Int, running: Int) -> Int { maximumJobs.map { max(0, $0 - ended - running) } ?? .max }

  /// Why the worker is to end now; nil while it is not.
  /// - Parameters:
  ///   - ended: jobs that this worker has run.
  ///   - hasNothing: it runs nothing, and nothing waits in it.
  ///   - canBeGiven: a coordinator knows it, and it takes jobs.
  mutating func reason(ended: Int, hasNothing: Bool, canBeGiven: Bool, now: Instant) -> String? {
    if let maximumJobs, ended >= maximumJobs { return "as many as were asked for" }
    idleSince = hasNothing ? idleSince ?? now : nil
    emptySince = hasNothing && canBeGiven ? emptySince ?? now : nil
    if endsWhenEmpty, let emptySince, now - emptySince >= Self.emptyMilliseconds { return "nothing waits any more" }
    if let idleMilliseconds, let idleSince, now - idleSince >= idleMilliseconds {
      return "nothing to do for \(idleMilliseconds / 1_000) s"
    }
    return nil
  }
}
