internal import FoundationEssentials
public import HostProtocol
public import PipelineModel

extension PipelineDefinition {
  fileprivate struct Document: Decodable {
    /// A `job_type`, or an object with one and its settings.
    struct Step: Decodable {
      struct Settings: Decodable {
        var jobType: String
        var attempts: Int?
        var crashes: Int?
        var losses: Int?
        var timeoutSeconds: Double?
        var backoffSeconds: Double?
        var maximumBackoffSeconds: Double?
        var concurrency: Int?
      }

      var settings: Settings

      init(from decoder: any Decoder) throws {
        if let jobType = try? decoder.singleValueContainer().decode(String.self) {
          settings = Settings(jobType: jobType)
        } else {
          settings = try Settings(from: decoder)
        }
      }
    }
    var phases: [Step]
  }

  /// The definition that a plugin gives of one of its pipelines (carbontube.h, `ct_pipeline`).
  ///
  /// - Throws: a sentence for the plugin's author.
  public init(_ described: PipelineDescription) throws(PipelineDefinitionError) {
    let document: Document
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      document = try decoder.decode(Document.self, from: Data(described.definition.utf8))
    } catch {
      throw PipelineDefinitionError(
        message: "the definition of pipeline '\(described.name)' is not a JSON object with a list 'phases'")
    }
    var phases: [PhaseDefinition] = []
    for step in document.phases { phases.append(try PhaseDefinition(step: step.settings, of: described.name)) }
    try self.init(name: described.name, phases: phases)
  }
}

extension PhaseDefinition {
  fileprivate init(
    step: PipelineDefinition.Document.Step.Settings, of pipeline: String
  ) throws(PipelineDefinitionError) {
    let place = "pipeline '\(pipeline)', phase '\(step.jobType)'"
    for (name, value) in [
      ("timeout_seconds", step.timeoutSeconds), ("backoff_seconds", step.backoffSeconds),
      ("maximum_backoff_seconds", step.maximumBackoffSeconds),
    ] where !isLength(value) {
      throw PipelineDefinitionError(message: "\(place): \(name) must be a number from 0 on")
    }
    for (name, value, least) in [
      ("attempts", step.attempts, 1), ("crashes", step.crashes, 1), ("losses", step.losses, 1),
      ("concurrency", step.concurrency, 0),
    ] where (value ?? least) < least {
      throw PipelineDefinitionError(message: "\(place): \(name) must be a whole number from \(least) on")
    }
    var retry = RetryPolicy()
    if let attempts = step.attempts { retry.attempts = min(attempts, most) }
    if let crashes = step.crashes { retry.crashes = min(crashes, most) }
    if let losses = step.losses { retry.losses = min(losses, most) }
    if let backoff = step.backoffSeconds { retry.backoffMilliseconds = milliseconds(backoff) }
    if let longest = step.maximumBackoffSeconds { retry.maximumBackoffMilliseconds = milliseconds(longest) }
    self.init(
      jobType: step.jobType, retry: retry, timeoutMilliseconds: step.timeoutSeconds.map(milliseconds) ?? 0,
      concurrencyLimit: min(step.concurrency ?? 0, most))
  }
}

/// What counts go to at most, so that no sum of them overflows on any way.
private let most = Int(Int32.max)

private func isLength(_ seconds: Double?) -> Bool {
  guard let seconds else { return true }
  return seconds >= 0 && seconds.isFinite
}

/// Rounded up, so that a limit never becomes none. Saturates at a year: what lies beyond is a slip of the author's, not a
/// wish.
private func milliseconds(_ seconds: Double) -> Int64 {
  guard seconds > 0 else { return 0 }
  // Sums of decimal fractions lie a little above what they stand for.
  return max(1, Int64((min(seconds, 366 * 86_400) * 1_000 - 1e-6).rounded(.up)))
}
