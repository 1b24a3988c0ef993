/// What each phase did in the last minutes, the present one included: the answer to `Verbs.Metrics`. Kept with the jobs, over
/// restarts.
public struct MetricsDocument: Hashable, Codable, Sendable {
  /// What one phase did.
  public struct Phase: Hashable, Codable, Sendable {
    public var jobType: String
    /// Jobs that came to the phase.
    public var enqueued: Int
    /// Attempts.
    public var started: Int
    /// Attempts.
    public var succeeded: Int
    /// Attempts.
    public var failed: Int
    /// Attempts that were put off to be made again.
    public var retried: Int
    /// Attempts that ended their process.
    public var crashed: Int
    /// Jobs that were given up.
    public var dead: Int
    /// Half of the attempts ran no longer than this, in microseconds; nil where there were none.
    public var latencyP50Us: Int64?
    public var latencyP99Us: Int64?
    /// Half of the attempts were waited for no longer than this, in microseconds.
    public var waitP50Us: Int64?
    public var waitP99Us: Int64?

    public init(
      jobType: String, enqueued: Int, started: Int, succeeded: Int, failed: Int, retried: Int, crashed: Int,
      dead: Int, latencyP50Us: Int64? = nil, latencyP99Us: Int64? = nil, waitP50Us: Int64? = nil,
      waitP99Us: Int64? = nil
    ) {
      self.jobType = jobType
      self.enqueued = enqueued
      self.started = started
      self.succeeded = succeeded
      self.failed = failed
      self.retried = retried
      self.crashed = crashed
      self.dead = dead
      self.latencyP50Us = latencyP50Us
      self.latencyP99Us = latencyP99Us
      self.waitP50Us = waitP50Us
      self.waitP99Us = waitP99Us
    }

    private enum CodingKeys: String, CodingKey {
      case enqueued, started, succeeded, failed, retried, crashed, dead
      case jobType = "job_type"
      case latencyP50Us = "latency_p50_us"
      case latencyP99Us = "latency_p99_us"
      case waitP50Us = "wait_p50_us"
      case waitP99Us = "wait_p99_us"
    }
  }

  /// The span.
  public var minutes: Int64
  /// In the pipeline's order.
  public var phases: [Phase]
  /// Since the coordinator's start, whatever the minutes. Nil from a coordinator of an earlier version.
  public var measures: [MeasureDocument]?

  public init(
    minutes: Int64, phases: [Phase], measures: [MeasureDocument]? = nil
  ) {
    self.minutes = minutes
    self.phases = phases
    self.measures = measures
  }
}
