public import CPhaseABI
import PhaseKit

/// The work. One instance serves the jobs of one process, one after the other.
struct Greeting: Phase, ConfiguredPhase {
  static let jobType = "__NAME__"
  static let summary = "Greets whoever the instructions name"
  static let inputSchema: String? =
    #"{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}"#
  static let outputSchema: String? = #"{"type": "object", "properties": {"greeting": {"type": "string"}}}"#
  static let settingsSchema: String? =
    #"{"type":"object","properties":{"greeting":{"type":"string","minLength":1}},"additionalProperties":false}"#

  /// By `--set greeting=Moin`.
  struct Settings: Decodable {
    var greeting: String?
  }

  private let greeting: String
  /// A secret, by `--env GREETING_TOKEN` or a file of such.
  private let token: String?

  init(settings: Settings) {
    greeting = settings.greeting ?? "Hello"
    token = environmentVariable("GREETING_TOKEN")
  }

  struct Input: Decodable {
    var name: String
  }

  struct Output: Encodable {
    var greeting: String
    var signed: Bool?
  }

  func execute(_ input: Input, _ job: JobContext) async throws -> Output? {
    // Never tried again; any other error is, by the policy of the pipeline.
    guard !input.name.isEmpty else { throw PhaseError.badInput("name must not be empty") }
    job.logger.info("greeting \(input.name)")
    return Output(greeting: "\(greeting), \(input.name)", signed: token == nil ? nil : true)
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
