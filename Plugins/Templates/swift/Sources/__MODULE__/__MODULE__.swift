public import CPhaseABI
import PhaseKit

/// The work. One instance serves the jobs of one process, one after the other.
struct Greeting: Phase {
  static let jobType = "__NAME__"
  static let summary = "Greets whoever the instructions name"
  static let inputSchema: String? =
    #"{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}"#
  static let outputSchema: String? = #"{"type": "object", "properties": {"greeting": {"type": "string"}}}"#

  struct Input: Decodable {
    var name: String
  }

  struct Output: Encodable {
    var greeting: String
  }

  func execute(_ input: Input, _ job: JobContext) async throws -> Output? {
    // Never tried again; any other error is, by the policy of the pipeline.
    guard !input.name.isEmpty else { throw PhaseError.badInput("name must not be empty") }
    job.logger.info("greeting \(input.name)")
    return Output(greeting: "Hello, \(input.name)")
  }
}

struct Greetings: Pipeline {
  static let name = "__NAME__"
  static let summary = "Greets"
  static let phases = [Greeting.jobType]
}

let plugin = Plugin(
  "org.example.__NAME__", version: "0.1.0", summary: "Greets", phases: [Greeting.self], pipelines: [Greetings.self])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func carbontube_plugin_v1(_ hostMinor: UInt32) -> UnsafePointer<ct_plugin>? { plugin.abi }
