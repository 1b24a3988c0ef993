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
    try self.init(name: described.name, phases: document.phases.map { PhaseDefinition(step: $0.settings) })
  }
}

extension PhaseDefinition {
  fileprivate init(step: PipelineDefinition.Document.Step.Settings) {
    var retry = RetryPolicy()
    if let attempts = step.attempts { retry.attempts = max(1, attempts) }
    if let crashes = step.crashes { retry.crashes = max(1, crashes) }
    if let losses = step.losses { retry.losses = max(1, losses) }
    if let backoff = step.backoffSeconds { retry.backoffMilliseconds = milliseconds(backoff) }
    if let longest = step.maximumBackoffSeconds { retry.maximumBackoffMilliseconds = milliseconds(longest) }
    self.init(
      jobType: step.jobType, retry: retry, timeoutMilliseconds: step.timeoutSeconds.map(milliseconds) ?? 0,
      concurrencyLimit: step.concurrency ?? 0)
  }
}

/// Saturates at a year: what lies beyond is a slip of the author's, not a wish.
private func milliseconds(_ seconds: Double) -> Int64 {
  guard seconds > 0 else { return 0 }
  return Int64((min(seconds, 366 * 86_400) * 1_000).rounded())
}
