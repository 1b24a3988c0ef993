internal import ArgumentParser
internal import CarbonTube

/// How a command finds the coordinator it asks.
struct CoordinatorOptions: ParsableArguments {
  @Option(
    name: .shortAndLong, help: ArgumentHelp("The pipeline's --job-pull.", valueName: "address"))
  var address = "tcp://127.0.0.1:5050"

  @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "seconds")) var timeout = 10.0

  func validate() throws {
    if let problem = addressProblem(address, binding: false) { throw ValidationError(problem) }
    guard (0.001...86_400).contains(timeout) else { throw ValidationError("--timeout must be 0.001 to 86400 seconds") }
  }

  /// - Returns: the answer's JSON document and the payloads after it.
  func ask(_ verb: String, _ arguments: some Encodable) throws(CommandFailure) -> CoordinatorAnswer {
    let milliseconds = Int(timeout * 1_000)
    let answer = try CommandFailure.explaining {
      let client = PipelineClient(address, timeoutMilliseconds: milliseconds)
      try client.connect()
      defer { client.close() }
      return try client.request(verb, arguments: Array(JSONText.of(arguments).utf8))
    }
    switch answer.code {
    case .ok, .duplicate: return CoordinatorAnswer(document: answer.body, payloads: answer.payloads)
    case .busy, .unavailable, .stopping: throw CommandFailure(.unavailable, "\(address): \(answer.message)")
    case .invalid, .notFound: throw CommandFailure(.refused, "\(address): \(answer.message)")
    }
  }
}

struct CoordinatorAnswer {
  var document: [UInt8]
  var payloads: [[UInt8]]
}

/// Which jobs a command means.
struct JobFilterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("waiting, delayed, running, succeeded, dead, cancelled; repeatable.", valueName: "state"))
  var state: [String] = []
  @Option(help: ArgumentHelp("Jobs in this phase.", valueName: "job_type")) var phase: String?
  @Option(help: ArgumentHelp("Part of the last error's type or message.", valueName: "text")) var error: String?
  @Option(help: ArgumentHelp("Start of the id.", valueName: "text")) var idPrefix: String?

  func validate() throws {
    for word in state where JobState(word: word) == nil {
      let known = JobState.allCases.map(\.description).joined(separator: ", ")
      throw ValidationError("unknown state '\(word)'; the states are \(known)")
    }
  }

  var isEmpty: Bool { state.isEmpty && phase == nil && error == nil && idPrefix == nil }

  func arguments(id: String? = nil, cursor: String? = nil, limit: Int? = nil) -> VerbDocument {
    VerbDocument(
      id: id, states: state.isEmpty ? nil : state, phase: phase, error: error, idPrefix: idPrefix, cursor: cursor,
      limit: limit)
  }
}

/// The arguments of a verb (docs/wire-protocol.md, "Verbs").
struct VerbDocument: Encodable {
  var id: String?
  var states: [String]?
  var phase: String?
  var error: String?
  var idPrefix: String?
  var cursor: String?
  var limit: Int?
  var worker: String?
  var minutes: Int?
}
