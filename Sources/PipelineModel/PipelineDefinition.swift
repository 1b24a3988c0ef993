/// One step of a pipeline: which `job_type` does it, and how it is retried and limited.
public struct PhaseDefinition: Hashable, Sendable {
  public var jobType: String
  public var retry: RetryPolicy
  /// The hard limit on one attempt; the child is killed at it. Zero: none.
  public var timeoutMilliseconds: Int64
  /// Attempts that may run at once over all workers. Zero: no limit but the workers' own.
  public var concurrencyLimit: Int

  public init(
    jobType: String, retry: RetryPolicy = RetryPolicy(), timeoutMilliseconds: Int64 = 0, concurrencyLimit: Int = 0
  ) {
    self.jobType = jobType
    self.retry = retry
    self.timeoutMilliseconds = max(0, timeoutMilliseconds)
    self.concurrencyLimit = max(0, concurrencyLimit)
  }
}

/// A named plan of phases. A `job_type` may stand in it more than once; phases are told apart by index.
public struct PipelineDefinition: Hashable, Sendable {
  public static let maximumPhases = 1_000
  public let name: String
  /// The way of a job through the phases.
  public let plan: Plan
  public var phases: [PhaseDefinition] { plan.stations }

  /// A list: jobs go through the phases in its order.
  /// - Throws: a sentence that names what is wrong.
  public init(name: String, phases: [PhaseDefinition]) throws(PipelineDefinitionError) {
    guard isRoleName(name) else {
      throw PipelineDefinitionError(
        message: "pipeline name '\(name)' must be 1 to 64 lower-case letters, digits, '-', '_' or '.'")
    }
    guard !phases.isEmpty, phases.count <= Self.maximumPhases else {
      throw PipelineDefinitionError(
        message: "pipeline '\(name)' has \(phases.count) phases; it needs 1 to \(Self.maximumPhases)")
    }
    if let wrong = phases.first(where: { !isRoleName($0.jobType) }) {
      throw PipelineDefinitionError(
        message:
          "pipeline '\(name)': job_type '\(wrong.jobType)' must be 1 to 64 lower-case letters, digits, '-', '_' or '.'"
      )
    }
    self.name = name
    plan = Plan(line: phases)
  }

  /// Indexes of the phases that a worker of `jobType` can do.
  public func phases(of jobType: String) -> [Int] {
    phases.indices.filter { phases[$0].jobType == jobType }
  }
}

/// A definition that cannot be used, in words for its author.
public struct PipelineDefinitionError: Error, Hashable, CustomStringConvertible {
  public let message: String
  public var description: String { message }
  public init(message: String) { self.message = message }
}
