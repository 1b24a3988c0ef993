/// One attempt of one job, as it is given to a PluginHost child.
public struct HostJob: Hashable, Sendable {
  /// Names the attempt between parent and child; the parent's choice, never 0.
  public var token: UInt64
  /// The same in every attempt and phase of the job.
  public var jobID: String
  /// The pipeline's name; empty where a phase runs alone.
  public var pipeline: String
  /// 1-based count of the times the job was given to a worker in this phase.
  public var attempt: UInt32
  /// Milliseconds since 1970; 0 for none. Told to the phase; killing the child at its end is the parent's work.
  public var deadlineUnixMilliseconds: Int64
  /// A JSON object; not looked into.
  public var instructions: [UInt8]

  public init(
    token: UInt64, jobID: String, pipeline: String, attempt: UInt32, deadlineUnixMilliseconds: Int64 = 0,
    instructions: [UInt8]
  ) {
    self.token = token
    self.jobID = jobID
    self.pipeline = pipeline
    self.attempt = attempt
    self.deadlineUnixMilliseconds = deadlineUnixMilliseconds
    self.instructions = instructions
  }
}

/// One of the hooks that a pipeline's author may write.
public enum HostHook: Hashable, Sendable {
  /// Before storage and sockets are opened; answers with `HostReport.setting` as well.
  case initialize
  case started
  case finished
  /// A job reached a final state: `state` is `succeeded`, `dead` or `cancelled`; `instructions` a JSON object.
  case finishedJob(jobID: String, pipeline: String, state: String, instructions: [UInt8])
}

/// A hook to be called in the child that holds the pipeline.
public struct HostHookCall: Hashable, Sendable {
  /// Names the call between parent and child; the parent's choice, never 0.
  public var token: UInt64
  public var hook: HostHook

  public init(token: UInt64, hook: HostHook) {
    self.token = token
    self.hook = hook
  }
}

/// What the parent sends on the job channel.
public enum HostRequest: Hashable, Sendable {
  /// The first of all to a child that is to run a phase or a pipeline; a scan is sent none.
  case setup(HostSetup)
  case job(HostJob)
  case hook(HostHookCall)
}

/// What the parent sends on the control channel. The end of that channel tells the child to end at once.
public enum HostControl: Hashable, Sendable {
  /// The attempt is to stop: cooperative, the parent kills what does not listen.
  case cancel(token: UInt64)
  /// Finish the running job, begin no other, end with code 0.
  case stop
  /// The job is not to begin; answered by `HostReport.withdrawn` unless it has.
  case withdraw(token: UInt64)
}
