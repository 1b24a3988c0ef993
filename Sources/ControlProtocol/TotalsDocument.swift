/// What was counted since the coordinator's start, for programs that compute rates themselves: the answer to `Verbs.Totals`.
public struct TotalsDocument: Hashable, Codable, Sendable {
  /// How many durations fell between two bounds.
  public struct Histogram: Hashable, Codable, Sendable {
    /// One for each of `boundsUs`, and one for what is longer; not cumulative.
    public var counts: [Int]
    /// Of all durations, in microseconds.
    public var sumUs: Int64

    public init(
      counts: [Int], sumUs: Int64
    ) {
      self.counts = counts
      self.sumUs = sumUs
    }

    private enum CodingKeys: String, CodingKey {
      case counts
      case sumUs = "sum_us"
    }
  }

  /// What was counted of one phase.
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
    /// How long attempts ran.
    public var latency: Histogram
    /// How long jobs waited before an attempt.
    public var wait: Histogram

    public init(
      jobType: String, enqueued: Int, started: Int, succeeded: Int, failed: Int, retried: Int, crashed: Int,
      dead: Int, latency: Histogram, wait: Histogram
    ) {
      self.jobType = jobType
      self.enqueued = enqueued
      self.started = started
      self.succeeded = succeeded
      self.failed = failed
      self.retried = retried
      self.crashed = crashed
      self.dead = dead
      self.latency = latency
      self.wait = wait
    }

    private enum CodingKeys: String, CodingKey {
      case enqueued, started, succeeded, failed, retried, crashed, dead, latency, wait
      case jobType = "job_type"
    }
  }

  /// The coordinator's run: another one after each start, with which the counts begin at zero.
  public var coordinator: String
  /// Upper bounds of the histograms' buckets, in microseconds.
  public var boundsUs: [Int64]
  /// In the pipeline's order.
  public var phases: [Phase]
  /// What phases counted and measured. Nil from a coordinator of an earlier version.
  public var measures: [MeasureDocument]?

  public init(
    coordinator: String, boundsUs: [Int64], phases: [Phase], measures: [MeasureDocument]? = nil
  ) {
    self.coordinator = coordinator
    self.boundsUs = boundsUs
    self.phases = phases
    self.measures = measures
  }

  private enum CodingKeys: String, CodingKey {
    case coordinator, phases, measures
    case boundsUs = "bounds_us"
  }
}
