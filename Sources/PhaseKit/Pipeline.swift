/// A named, ordered list of phases. Its hooks run in a process beside the coordinator, off the jobs' path.
///
///     struct ExampleOne: Pipeline {
///       static let name = "example-one"
///       static let phases = [GenerateFile.jobType, HashFile.jobType, RemoveFile.jobType]
///     }
public protocol Pipeline: Sendable {
  /// `String` for bare job types, `PipelineStep` for those with settings of their own.
  associatedtype Step: PipelineStepConvertible

  /// 1 to 64 lower-case letters, digits, `-`, `_` or `.`; unique in its plugin.
  static var name: String { get }
  static var version: String { get }
  /// One line for people.
  static var summary: String { get }
  static var phases: [Step] { get }

  /// Made once, before the first hook.
  init()

  /// Before the coordinator opens storage and sockets.
  /// - Throws: then the coordinator does not start, and says why.
  func initialize(_ setup: PipelineSetup) async throws
  /// The coordinator takes jobs from now on.
  func onStarted(_ context: PipelineContext) async throws
  /// The coordinator has stopped in good order.
  func onFinished(_ context: PipelineContext) async throws
  /// A job reached a final state. At most once per job, and not again after a restart of the coordinator. An error is
  /// logged and changes nothing.
  func handleFinishedJob(_ job: FinishedJob, _ context: PipelineContext) async throws
}

extension Pipeline {
  public static var version: String { "1.0.0" }
  public static var summary: String { "" }
  public func initialize(_ setup: PipelineSetup) async throws { throw HookNotWritten() }
  public func onStarted(_ context: PipelineContext) async throws { throw HookNotWritten() }
  public func onFinished(_ context: PipelineContext) async throws { throw HookNotWritten() }
  public func handleFinishedJob(_ job: FinishedJob, _ context: PipelineContext) async throws { throw HookNotWritten() }
}

/// Tells the host not to call a hook again that only has its default.
struct HookNotWritten: Error {}

/// One phase of a pipeline with settings of its own; nil leaves the system's default.
public struct PipelineStep: Hashable, Sendable, PipelineStepConvertible {
  public var jobType: String
  /// How often it may fail before the job is dead.
  public var attempts: Int?
  /// How often its process may end under the job (a trap, an exit) before the job is dead.
  public var crashes: Int?
  /// After which one attempt is killed, to the millisecond and at least one. Zero: never.
  public var timeout: Duration?
  /// Wait after the first failure; grows with each further one. To the millisecond.
  public var backoff: Duration?
  /// To which that wait grows at most. To the millisecond.
  public var maximumBackoff: Duration?
  /// Jobs that may be in this phase at once, over all workers.
  public var concurrency: Int?

  public init(
    _ jobType: String, attempts: Int? = nil, crashes: Int? = nil, timeout: Duration? = nil, backoff: Duration? = nil,
    maximumBackoff: Duration? = nil, concurrency: Int? = nil
  ) {
    self.jobType = jobType
    self.attempts = attempts
    self.crashes = crashes
    self.timeout = timeout
    self.backoff = backoff
    self.maximumBackoff = maximumBackoff
    self.concurrency = concurrency
  }

  public var step: PipelineStep { self }
}

/// What may stand in the list of a pipeline's phases.
public protocol PipelineStepConvertible: Sendable {
  var step: PipelineStep { get }
}

extension String: PipelineStepConvertible {
  public var step: PipelineStep { PipelineStep(self) }
}

/// A job in its final state.
public struct FinishedJob: Hashable, Sendable {
  public enum State: String, Sendable {
    case succeeded, dead, cancelled
  }

  public let id: String
  public let pipeline: String
  public let state: State
  /// As enqueued, with the results of all phases merged in.
  public let instructions: Instructions
}
