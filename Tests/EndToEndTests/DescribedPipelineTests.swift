import CarbonTube
import HostProtocol
import PipelineModel
import Testing

/// What a plugin's author writes into a pipeline's definition, with numbers that nobody should write.
@Suite struct DescribedPipelineTests {
  private func phase(_ settings: String) throws -> PhaseDefinition {
    let definition = try PipelineDefinition(
      PipelineDescription(
        name: "p", version: "1", summary: "", definition: #"{"name":"p","phases":[{"job_type":"a",\#(settings)}]}"#,
        hasHooks: false))
    return try #require(definition.phases.first)
  }

  @Test(
    arguments: [
      ("0", 0), ("0.5", 500), ("0.0001", 1), ("9", 9_000), ("0.3", 300), ("1.1", 1_100), ("1e300", 366 * 86_400_000),
      ("9223372036854775807", 366 * 86_400_000), ("1e-320", 1),
    ] as [(String, Int64)])
  func lengthsAreToTheMillisecondAndBounded(_ seconds: String, _ milliseconds: Int64) throws {
    #expect(try phase(#""timeout_seconds":\#(seconds)"#).timeoutMilliseconds == milliseconds)
    #expect(try phase(#""backoff_seconds":\#(seconds)"#).retry.backoffMilliseconds == milliseconds)
    #expect(try phase(#""maximum_backoff_seconds":\#(seconds)"#).retry.maximumBackoffMilliseconds == milliseconds)
  }

  @Test(arguments: [
    #""timeout_seconds":-1"#, #""backoff_seconds":-0.5"#, #""maximum_backoff_seconds":-1e300"#, #""attempts":0"#,
    #""attempts":-9223372036854775808"#, #""crashes":0"#, #""concurrency":-1"#,
  ])
  func whatCannotBeMeantIsNamed(_ settings: String) {
    #expect {
      try phase(settings)
    } throws: { error in
      let name = settings.split(separator: "\"")[0]
      return "\(error)".hasPrefix("pipeline 'p', phase 'a': \(name) must be a ")
    }
  }

  @Test(arguments: [#""timeout_seconds":1e999"#, #""timeout_seconds":"x""#, #""attempts":1e30"#, #""attempts":1.5"#])
  func whatIsNoNumberOfItsKindIsRefused(_ settings: String) {
    #expect(throws: PipelineDefinitionError.self) { try phase(settings) }
  }

  @Test func countsSaturate() throws {
    let phase = try phase(
      #""attempts":9223372036854775807,"crashes":9223372036854775807,"concurrency":9223372036854775807"#)
    #expect(phase.retry.attempts == Int(Int32.max))
    #expect(phase.concurrencyLimit == Int(Int32.max))
  }
}
