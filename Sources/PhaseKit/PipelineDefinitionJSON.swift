import FoundationEssentials

/// The `definition` of `ct_pipeline`.
struct PipelineDefinitionJSON: Encodable {
  struct Step: Encodable {
    let jobType: String
    let attempts: Int?
    let crashes: Int?
    let timeoutSeconds: Double?
    let backoffSeconds: Double?
    let maximumBackoffSeconds: Double?
    let concurrency: Int?

    enum CodingKeys: String, CodingKey {
      case jobType = "job_type"
      case attempts, crashes
      case timeoutSeconds = "timeout_seconds"
      case backoffSeconds = "backoff_seconds"
      case maximumBackoffSeconds = "maximum_backoff_seconds"
      case concurrency
    }
  }

  let name: String
  let phases: [Step]

  init(_ type: any Pipeline.Type) {
    func steps<Author: Pipeline>(_ type: Author.Type) -> [PipelineStep] { type.phases.map(\.step) }
    name = type.name
    phases = steps(type).map {
      Step(
        jobType: $0.jobType, attempts: $0.attempts, crashes: $0.crashes, timeoutSeconds: $0.timeout?.inSeconds,
        backoffSeconds: $0.backoff?.inSeconds, maximumBackoffSeconds: $0.maximumBackoff?.inSeconds,
        concurrency: $0.concurrency)
    }
  }

  /// Empty where it cannot be encoded, which the coordinator refuses.
  var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

extension Duration {
  /// With their fraction; the nearest that a `Double` can say.
  fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
