internal import ArgumentParser
internal import CarbonTube

/// How a command finds the coordinator it asks.
struct CoordinatorOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The pipeline's --job-pull. \(CoordinatorAddress.helpOfDefault)", valueName: "address"))
  var address: String?

  @Option(
    help: ArgumentHelp("The coordinator by its name; see carbontube context.", valueName: "name"),
    completion: .context)
  var context: String?

  @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "seconds")) var timeout = 10.0

  func validate() throws {
    guard address == nil || context == nil else { throw ValidationError("give either --address or --context") }
    if let address, let problem = addressProblem(address, binding: false) { throw ValidationError(problem) }
    guard (0.001...86_400).contains(timeout) else { throw ValidationError("--timeout must be 0.001 to 86400 seconds") }
  }

  func resolvedAddress() throws(CommandFailure) -> String { try CoordinatorAddress.resolved(address, context: context) }

  /// - Parameter patienceSeconds: no answer is waited for longer than this, whatever --timeout says.
  func connected(patienceSeconds: Double = .infinity) throws(CommandFailure) -> CoordinatorConnection {
    try CoordinatorConnection(
      resolvedAddress(), timeoutMilliseconds: Int(min(timeout, patienceSeconds) * 1_000))
  }

  /// One question, on a connection of its own.
  func ask(_ verb: String, _ arguments: some Encodable) throws(CommandFailure) -> CoordinatorAnswer {
    try connected().ask(verb, arguments)
  }
}

struct CoordinatorAnswer {
  var document: [UInt8]
  var payloads: [[UInt8]]
}

/// A coordinator that has answered once. Closes with its last reference.
final class CoordinatorConnection: Sendable {
  let address: String
  private let client: PipelineClient

  init(_ address: String, timeoutMilliseconds: Int) throws(CommandFailure) {
    self.address = address
    let client = PipelineClient(address, timeoutMilliseconds: timeoutMilliseconds)
    try CommandFailure.explaining { try client.connect() }
    self.client = client
  }

  deinit { client.close() }

  /// Whoever waits for an answer stops waiting, and nothing more is asked.
  func abandon() { client.close() }

  /// - Returns: the answer's JSON document and the payloads after it.
  func ask(_ verb: String, _ arguments: some Encodable) throws(CommandFailure) -> CoordinatorAnswer {
    let answer = try request(verb, arguments)
    switch answer.code {
    case .ok, .duplicate: return CoordinatorAnswer(document: answer.body, payloads: answer.payloads)
    case .busy, .unavailable, .stopping: throw CommandFailure(.unavailable, "\(address): \(answer.message)")
    case .invalid, .unfit, .notFound: throw CommandFailure(.refused, "\(address): \(answer.message)")
    }
  }

  /// The answer whatever its code.
  func request(
    _ verb: String, _ arguments: some Encodable, instructions: [UInt8]? = nil
  ) throws(CommandFailure) -> PipelineClient.Answer {
    let json = Array(JSONText.of(arguments).utf8)
    return try CommandFailure.explaining { try client.request(verb, arguments: json, instructions: instructions) }
  }
}

/// Which jobs a command means.
struct JobFilterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("waiting, delayed, running, succeeded, dead, cancelled; repeatable.", valueName: "state"),
    completion: .list(JobState.allCases.map(\.description)))
  var state: [String] = []
  @Option(help: ArgumentHelp("Jobs in this phase.", valueName: "job_type")) var phase: String?
  @Option(help: ArgumentHelp("Part of the last error's type or message.", valueName: "text")) var error: String?
  @Option(help: ArgumentHelp("Start of the id.", valueName: "text")) var idPrefix: String?

  func validate() throws {
    for word in state where JobState(word: word) == nil {
      let known = JobState.allCases.map(\.description).joined(separator: ", ")
      throw ValidationError("unknown state '\(word)'; the states are \(known)")
    }
    try requireText(phase, of: "--phase")
    try requireText(error, of: "--error")
    try requireText(idPrefix, of: "--id-prefix")
  }

  var isEmpty: Bool { state.isEmpty && phase == nil && error == nil && idPrefix == nil }

}

/// Which jobs a command means, and when they have changed; its ages are counted from one moment, however many questions
/// the command asks.
struct JobSelection {
  let filter: JobFilterOptions
  let span: ClosedRange<Timestamp>?

  init(_ filter: JobFilterOptions, _ span: JobSpanOptions, now: Timestamp = .now()) throws {
    self.filter = filter
    self.span = span.isEmpty ? nil : try span.span(now: now)
  }

  var isEmpty: Bool { filter.isEmpty && span == nil }

  /// - Parameter states: what is meant where no --state is given.
  func arguments(
    id: String? = nil, states: [JobState]? = nil, containing: String? = nil, cursor: String? = nil, limit: Int? = nil
  ) -> VerbDocument {
    VerbDocument(
      id: id, states: filter.state.isEmpty ? states?.map(\.description) : filter.state, phase: filter.phase,
      error: filter.error, containing: containing, idPrefix: filter.idPrefix, cursor: cursor, limit: limit,
      sinceMs: Self.bound(span?.lowerBound), untilMs: Self.bound(span?.upperBound))
  }

  /// Nil for an end that is open.
  private static func bound(_ end: Timestamp?) -> Int64? {
    guard let milliseconds = end?.milliseconds, milliseconds != .min, milliseconds != .max else { return nil }
    return milliseconds
  }
}

/// An unset variable of a script makes an empty word, and nothing named must not mean everything.
func requireText(_ value: String?, of name: String) throws {
  guard value?.isEmpty == true else { return }
  throw ValidationError("\(name) is empty; name something, or leave it out")
}

func requireJobID(_ text: String) throws {
  guard JobID(text) == nil else { return }
  throw ValidationError(
    "'\(excerpt(text))' is no id of a job: 1 to \(JobID.maximumLength) printable ASCII characters without spaces")
}

/// The arguments of a verb (docs/wire-protocol.md, "Verbs").
struct VerbDocument: Encodable {
  var id: String?
  var ids: [String]?
  var states: [String]?
  var phase: String?
  var error: String?
  var containing: String?
  var idPrefix: String?
  var cursor: String?
  var limit: Int?
  var worker: String?
  var plugin: String?
  var minutes: Int?
  var sinceMs: Int64?
  var untilMs: Int64?
}
