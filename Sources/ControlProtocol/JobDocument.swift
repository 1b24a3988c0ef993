/// One job: the answer to `Verbs.Job`, and an element of the answer to `Verbs.Jobs`. Its instructions are a payload behind the
/// answer. Moments are milliseconds since 1970.
public struct JobDocument: Hashable, Codable, Sendable {
  /// One attempt at a phase that is over.
  public struct Attempt: Hashable, Codable, Sendable {
    public var jobType: String
    /// From 1, anew in each phase.
    public var number: Int
    public var worker: String
    /// The build that ran it: the first 12 digits of the file's SHA-256.
    public var plugin: String
    /// Milliseconds since 1970; 0 where it never began.
    public var startedAtMs: Int64
    /// Milliseconds since 1970.
    public var endedAtMs: Int64
    /// As `AttemptOutcome` has it in words.
    public var outcome: String

    public init(
      jobType: String, number: Int, worker: String, plugin: String, startedAtMs: Int64, endedAtMs: Int64,
      outcome: String
    ) {
      self.jobType = jobType
      self.number = number
      self.worker = worker
      self.plugin = plugin
      self.startedAtMs = startedAtMs
      self.endedAtMs = endedAtMs
      self.outcome = outcome
    }

    private enum CodingKeys: String, CodingKey {
      case number, worker, plugin, outcome
      case jobType = "job_type"
      case startedAtMs = "started_at_ms"
      case endedAtMs = "ended_at_ms"
    }
  }

  /// Why the last attempt did not succeed.
  public struct Failure: Hashable, Codable, Sendable {
    public var type: String
    public var message: String
    /// Where in the plugin; may be empty.
    public var location: String
    /// The last that the attempt wrote to stderr; may be empty.
    public var stderrTail: String

    public init(
      type: String, message: String, location: String, stderrTail: String
    ) {
      self.type = type
      self.message = message
      self.location = location
      self.stderrTail = stderrTail
    }

    private enum CodingKeys: String, CodingKey {
      case type, message, location
      case stderrTail = "stderr_tail"
    }
  }

  /// One line that the job logged.
  public struct Line: Hashable, Codable, Sendable {
    /// Milliseconds since 1970.
    public var atMs: Int64
    /// `debug`, `info`, `warning` or `error`.
    public var level: String
    public var text: String

    public init(
      atMs: Int64, level: String, text: String
    ) {
      self.atMs = atMs
      self.level = level
      self.text = text
    }

    private enum CodingKeys: String, CodingKey {
      case level, text
      case atMs = "at_ms"
    }
  }

  /// A phase that changed the job's instructions.
  public struct Change: Hashable, Codable, Sendable {
    /// Its place in the pipeline, from 0.
    public var phase: Int
    public var jobType: String

    public init(
      phase: Int, jobType: String
    ) {
      self.phase = phase
      self.jobType = jobType
    }

    private enum CodingKeys: String, CodingKey {
      case phase
      case jobType = "job_type"
    }
  }

  public var id: String
  /// `waiting`, `delayed`, `running`, `succeeded`, `dead` or `cancelled`.
  public var state: String
  /// Where it stands in the pipeline, from 0.
  public var phase: Int
  /// The name of that phase.
  public var jobType: String
  /// -8 to 7; higher goes first.
  public var priority: Int
  /// In this phase, from 1; 0 before the first.
  public var attempt: Int
  /// Attempts in this phase that failed.
  public var failures: Int
  /// Attempts in this phase that ended their process.
  public var crashes: Int
  public var enqueuedAtMs: Int64
  /// When it last changed.
  public var updatedAtMs: Int64
  /// When it may start.
  public var dueAtMs: Int64?
  /// Which has it.
  public var worker: String?
  /// Of the running attempt, 0 to 1.
  public var progress: Double?
  /// What the attempt says about it.
  public var progressNote: String?
  public var error: Failure?
  /// The last ones, oldest first.
  public var attempts: [Attempt]
  /// The last lines it logged; nil in lists.
  public var log: [Line]?
  /// What phases made of its instructions, as far as it is remembered; nil in lists. The payloads follow the job's own,
  /// two for each: before and after.
  public var changes: [Change]?

  public init(
    id: String, state: String, phase: Int, jobType: String, priority: Int, attempt: Int, failures: Int,
    crashes: Int, enqueuedAtMs: Int64, updatedAtMs: Int64, dueAtMs: Int64? = nil, worker: String? = nil,
    progress: Double? = nil, progressNote: String? = nil, error: Failure? = nil, attempts: [Attempt],
    log: [Line]? = nil, changes: [Change]? = nil
  ) {
    self.id = id
    self.state = state
    self.phase = phase
    self.jobType = jobType
    self.priority = priority
    self.attempt = attempt
    self.failures = failures
    self.crashes = crashes
    self.enqueuedAtMs = enqueuedAtMs
    self.updatedAtMs = updatedAtMs
    self.dueAtMs = dueAtMs
    self.worker = worker
    self.progress = progress
    self.progressNote = progressNote
    self.error = error
    self.attempts = attempts
    self.log = log
    self.changes = changes
  }

  private enum CodingKeys: String, CodingKey {
    case id, state, phase, priority, attempt, failures, crashes, worker, progress, error, attempts, log, changes
    case jobType = "job_type"
    case enqueuedAtMs = "enqueued_at_ms"
    case updatedAtMs = "updated_at_ms"
    case dueAtMs = "due_at_ms"
    case progressNote = "progress_note"
  }
}
