/// How a pipeline stands: the answer to `Verbs.Status`.
public struct StatusDocument: Hashable, Codable, Sendable {
  /// One phase of the pipeline. The counts are of jobs.
  public struct Phase: Hashable, Codable, Sendable {
    public var jobType: String
    /// That could start now.
    public var waiting: Int
    /// That wait for their time.
    public var delayed: Int
    /// Given to workers, whether they have begun or not.
    public var running: Int
    /// That were given up.
    public var dead: Int
    /// That serve the phase, in whatever state.
    public var workers: Int
    /// Jobs that run at a time at most, of workers that take jobs.
    public var slots: Int
    /// The phase by itself; the whole pipeline may be paused as well.
    public var paused: Bool
    /// Why nothing of it is done.
    public var note: String?

    public init(
      jobType: String, waiting: Int, delayed: Int, running: Int, dead: Int, workers: Int, slots: Int,
      paused: Bool, note: String? = nil
    ) {
      self.jobType = jobType
      self.waiting = waiting
      self.delayed = delayed
      self.running = running
      self.dead = dead
      self.workers = workers
      self.slots = slots
      self.paused = paused
      self.note = note
    }

    private enum CodingKeys: String, CodingKey {
      case waiting, delayed, running, dead, workers, slots, paused, note
      case jobType = "job_type"
    }
  }

  /// One worker: a process, or a phase of one.
  public struct Worker: Hashable, Codable, Sendable {
    public var id: String
    /// The name of its machine, as the machine has it.
    public var host: String
    /// Of its process there.
    public var pid: Int
    /// The phase it serves.
    public var jobType: String
    /// Jobs that it runs at a time at most.
    public var concurrency: Int
    /// Jobs that it was given and has not ended; more than `concurrency` where some wait there.
    public var inFlight: Int
    /// Attempts since its start.
    public var succeeded: Int
    /// Attempts since its start.
    public var failed: Int
    /// `starting`, `serving`, `draining`, `impaired` or `disconnected`.
    public var state: String
    /// Why it takes no jobs, or fewer than it could.
    public var reason: String?
    /// Its build: the first 12 digits of the file's SHA-256.
    public var plugin: String
    /// Where the plugin's file is on its machine; nil where the coordinator does not say.
    public var pluginFile: String?
    /// Milliseconds since it was last heard.
    public var heartbeatAgeMs: Int64

    public init(
      id: String, host: String, pid: Int, jobType: String, concurrency: Int, inFlight: Int, succeeded: Int,
      failed: Int, state: String, reason: String? = nil, plugin: String, pluginFile: String? = nil,
      heartbeatAgeMs: Int64
    ) {
      self.id = id
      self.host = host
      self.pid = pid
      self.jobType = jobType
      self.concurrency = concurrency
      self.inFlight = inFlight
      self.succeeded = succeeded
      self.failed = failed
      self.state = state
      self.reason = reason
      self.plugin = plugin
      self.pluginFile = pluginFile
      self.heartbeatAgeMs = heartbeatAgeMs
    }

    private enum CodingKeys: String, CodingKey {
      case id, host, pid, concurrency, succeeded, failed, state, reason, plugin
      case jobType = "job_type"
      case inFlight = "in_flight"
      case pluginFile = "plugin_file"
      case heartbeatAgeMs = "heartbeat_age_ms"
    }
  }

  /// Where the jobs are kept.
  public struct Store: Hashable, Codable, Sendable {
    /// Without a password.
    public var address: String
    /// `opening`, `open` or `down`.
    public var state: String
    /// Why it is down.
    public var problem: String?

    public init(
      address: String, state: String, problem: String? = nil
    ) {
      self.address = address
      self.state = state
      self.problem = problem
    }
  }

  public var pipeline: String
  /// The coordinator's run: another one after each start.
  public var coordinator: String
  /// Milliseconds since the coordinator's start.
  public var uptimeMs: Int64
  /// The whole pipeline; each phase may be paused by itself.
  public var paused: Bool
  /// In the pipeline's order.
  public var phases: [Phase]
  /// Jobs that are kept.
  public var succeeded: Int
  /// Jobs that are kept.
  public var cancelled: Int
  /// Of the instructions of dead jobs; nil where the coordinator does not say.
  public var deadBytes: Int?
  /// By their ids.
  public var workers: [Worker]
  public var store: Store
  /// That came since its start and were passed over; nil where the coordinator does not say.
  public var malformedMessages: Int?
  /// What somebody should look after, one sentence each.
  public var warnings: [String]?

  public init(
    pipeline: String, coordinator: String, uptimeMs: Int64, paused: Bool, phases: [Phase], succeeded: Int,
    cancelled: Int, deadBytes: Int? = nil, workers: [Worker], store: Store, malformedMessages: Int? = nil,
    warnings: [String]? = nil
  ) {
    self.pipeline = pipeline
    self.coordinator = coordinator
    self.uptimeMs = uptimeMs
    self.paused = paused
    self.phases = phases
    self.succeeded = succeeded
    self.cancelled = cancelled
    self.deadBytes = deadBytes
    self.workers = workers
    self.store = store
    self.malformedMessages = malformedMessages
    self.warnings = warnings
  }

  private enum CodingKeys: String, CodingKey {
    case pipeline, coordinator, paused, phases, succeeded, cancelled, workers, store, warnings
    case uptimeMs = "uptime_ms"
    case deadBytes = "dead_bytes"
    case malformedMessages = "malformed_messages"
  }
}
