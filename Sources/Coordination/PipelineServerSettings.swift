public import JobStorage
public import Logging
public import PhaseSettings
public import PipelineModel

/// What a coordinator is told when it starts.
public struct PipelineServerSettings: Sendable {
  /// Where workers look for the coordinator.
  public var eventsAddress = "tcp://127.0.0.1:6000"
  /// Where workers connect, and where jobs and requests come in.
  public var intakeAddress = "tcp://127.0.0.1:5050"
  /// Where workers are told to connect to; nil: the intake address as it was bound, with the host that the worker connected
  /// to where that has a wildcard.
  public var advertisedIntakeAddress: String?
  /// Addresses of forwarders (`carbontube forwarder`) where workers look for the coordinator as well.
  public var forwarders: [String] = []
  /// A worker that is connected and says nothing for so long counts as gone, and what it had is given to others. A connection
  /// that breaks is noticed sooner. At least 2 s: workers speak each second.
  public var workerTimeoutMilliseconds: Int64 = 4_500
  /// Attempts that may be out at once over all phases and workers. Nil: no limit but the workers' slots.
  public var concurrency: Int?
  /// Larger instructions are refused, in bytes after decompression.
  public var maximumInstructionsBytes = 4 << 20
  /// What the first phase takes: instructions of new jobs that are something else are refused. Nil: any object.
  public var instructionsSchema: InstructionsSchema?
  public var retention = RetentionPolicy()
  /// How long a store that does not answer, or is owned by another coordinator, is asked again before starting is
  /// given up: a killed coordinator's ownership of a Redis store lapses within 1.5 s.
  public var storePatienceMilliseconds: Int64 = 2_500
  public var hooks = PipelineHooks()
  /// Where the coordinator reads the time.
  public var clocks = Clocks.system
  public var logger: Logger

  public init(logger: Logger = Logger(label: "carbontube.pipeline")) { self.logger = logger }
}

/// What a program or a plugin's pipeline wants to be told. Called from one thread that is not the event loop's, in
/// order; a slow hook delays the hooks behind it and nothing else. Best effort: not repeated after a crash of the
/// coordinator.
public struct PipelineHooks: Sendable {
  /// A job that needs nothing more from the coordinator.
  public struct FinishedJob: Sendable {
    public var id: JobID
    /// `.succeeded` or `.dead`.
    public var state: JobState
    /// As a payload frame: JSON text or its zlib stream.
    public var instructions: [UInt8]
    /// Why it is dead.
    public var error: JobError?
  }

  /// Once, when the store is open and the sockets are bound.
  public var started: (@Sendable () -> Void)?
  /// Once, when the coordinator has stopped.
  public var stopped: (@Sendable () -> Void)?
  public var jobFinished: (@Sendable (FinishedJob) -> Void)?
  /// Progress of a running attempt, 0…1.
  public var jobProgressed: (@Sendable (JobID, Double, String) -> Void)?
  /// A line that a phase logged.
  public var jobLogged: (@Sendable (JobID?, String) -> Void)?
  /// An attempt that will be made again: the job, why, and in how many milliseconds.
  public var jobRetried: (@Sendable (JobID, JobError, Int64) -> Void)?

  public init() {}
}
