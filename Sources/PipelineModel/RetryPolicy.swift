/// When a phase's failed attempts are tried again.
public struct RetryPolicy: Hashable, Sendable {
  /// Attempts that may fail or time out before the job is dead. At least 1.
  public var attempts: Int
  /// Crashes of the PluginHost child before the job is dead: counted apart, since a job that kills its host costs
  /// more than one that fails. At least 1.
  public var crashes: Int
  /// Workers that may go away while they run the job, and nothing else, before it is dead. At least 1.
  public var losses: Int
  /// Wait after the first failure; doubles with each further one.
  public var backoffMilliseconds: Int64
  public var maximumBackoffMilliseconds: Int64

  public init(
    attempts: Int = 3, crashes: Int = 3, losses: Int = 10, backoffMilliseconds: Int64 = 1_000,
    maximumBackoffMilliseconds: Int64 = 300_000
  ) {
    self.attempts = max(1, attempts)
    self.crashes = max(1, crashes)
    self.losses = max(1, losses)
    self.backoffMilliseconds = max(0, backoffMilliseconds)
    self.maximumBackoffMilliseconds = max(0, maximumBackoffMilliseconds)
  }

  /// What becomes of a job after an attempt that did not succeed.
  public enum Verdict: Hashable, Sendable {
    case retry(at: Timestamp)
    case bury
    case cancel
  }

  /// - Parameters:
  ///   - failures: failed and timed-out attempts in this phase, this one included.
  ///   - crashes: crashed attempts in this phase, this one included.
  ///   - retryAfterMilliseconds: what the phase asked for with `RETRY`.
  ///   - jitter: uniform in 0..<1, the caller's. "Equal jitter": half of the wait is fixed, half random, so that
  ///     jobs that failed together do not come back together and none comes back at once
  ///     (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
  public func verdict(
    on outcome: AttemptOutcome, failures: Int, crashes: Int, retryAfterMilliseconds: Int64?, now: Timestamp,
    jitter: Double
  ) -> Verdict {
    switch outcome {
    case .permanentFailure: return .bury
    case .cancelled: return .cancel
    case .retryRequested:
      let wait = retryAfterMilliseconds ?? backoff(after: 1, jitter: jitter)
      return .retry(at: now + Self.requestedWait(milliseconds: UInt64(clamping: wait)))
    case .failed, .timedOut:
      return failures >= attempts ? .bury : .retry(at: now + backoff(after: failures, jitter: jitter))
    case .crashed:
      return crashes >= self.crashes ? .bury : .retry(at: now)
    case .lost, .handedBack, .succeeded:
      return .retry(at: now)
    }
  }

  /// The shortest and the longest wait that a phase is given with `RETRY`, in milliseconds: each attempt costs a write to
  /// the store, and "never" must stay a moment that can be added to. 100 ms, and 100 years.
  public static let requestedWaits: ClosedRange<Int64> = 100...longestDurationMilliseconds

  /// What becomes of a wait that a phase has asked for.
  public static func requestedWait(milliseconds: UInt64) -> Int64 {
    min(max(Int64(clamping: milliseconds), requestedWaits.lowerBound), requestedWaits.upperBound)
  }

  /// - Parameter losses: workers that went away under the job alone, the present one included.
  public func buries(losses: Int) -> Bool { losses >= self.losses }

  func backoff(after failures: Int, jitter: Double) -> Int64 {
    let doublings = min(max(0, failures - 1), 30)
    let (product, overflow) = backoffMilliseconds.multipliedReportingOverflow(by: 1 << Int64(doublings))
    let ceiling = overflow ? maximumBackoffMilliseconds : min(product, maximumBackoffMilliseconds)
    return ceiling / 2 + Int64(Double(ceiling - ceiling / 2) * min(max(jitter, 0), 1))
  }
}
