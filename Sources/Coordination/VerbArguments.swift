internal import FoundationEssentials
internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// A request that cannot be carried out, with the answer for whoever sent it.
struct Refusal: Error {
  var code: ReplyCode
  var message: String
}

/// The arguments of the verbs; every member is optional, what a verb needs is said in docs/wire-protocol.md.
struct VerbArguments: Decodable {
  var id: String?
  var ids: [String]?
  var states: [String]?
  var phase: String?
  var error: String?
  var idPrefix: String?
  var cursor: String?
  var limit: Int?
  var minutes: Int?
  var step: Int?
  var worker: String?

  static let members: Set<String> = [
    "id", "ids", "states", "phase", "error", "id_prefix", "cursor", "limit", "minutes", "step", "worker",
  ]
  static let maximumBytes = 1 << 20
  private static let maximumErrorBytes = 1_024
  private static let maximumCursorBytes = 256
  private static let maximumMinutes = 7 * 24 * 60

  /// - Parameter payload: as on the wire.
  static func decoding(_ payload: [UInt8]) throws(Refusal) -> VerbArguments {
    do {
      let json = try CompressedJSON.json(in: payload, maximumBytes: maximumBytes)
      let data = Data(json.isEmpty ? Array("{}".utf8) : json)
      let decoder = JSONDecoder()
      if let unknown = try decoder.decode(Members.self, from: data).names.subtracting(members).min() {
        throw Refusal(code: .invalid, message: "unknown member '\(unknown.prefix(64))' in the arguments")
      }
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode(VerbArguments.self, from: data)
    } catch let refusal as Refusal {
      throw refusal
    } catch {
      throw Refusal(code: .invalid, message: "the arguments are not a JSON object with the members of the verb")
    }
  }

  /// What is misspelt must not be passed over: a filter that says less means more.
  private struct Members: Decodable {
    struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init?(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    var names: Set<String>

    init(from decoder: any Decoder) throws {
      names = Set(try decoder.container(keyedBy: Key.self).allKeys.map(\.stringValue))
    }
  }

  func jobID() throws(Refusal) -> JobID {
    guard let id, let job = JobID(id) else { throw Self.noJobID }
    return job
  }

  static var noJobID: Refusal {
    Refusal(code: .invalid, message: "'id' must be a job id of 1 to \(JobID.maximumLength) plain characters")
  }

  func jobIDs(atMost limit: Int) throws(Refusal) -> [JobID] {
    guard let ids, ids.count <= limit else {
      throw Refusal(code: .invalid, message: "'ids' must be a list of at most \(limit) job ids")
    }
    var jobs: [JobID] = []
    for text in ids {
      guard let job = JobID(text) else { throw Self.noJobID }
      jobs.append(job)
    }
    return jobs
  }

  /// A span of time that ends now, in minutes.
  var span: Int64 { Int64(min(max(1, minutes ?? 60), Self.maximumMinutes)) }

  var stepLength: Int64 { Int64(min(max(1, step ?? 1), 24 * 60)) }

  func pageCursor() throws(Refusal) -> String? {
    guard let cursor else { return nil }
    guard isPlainName(cursor, maximumLength: Self.maximumCursorBytes) else {
      throw Refusal(code: .invalid, message: "'cursor' must be the 'next' of a page")
    }
    return cursor
  }

  /// Which jobs are meant. Where something is to be done to them, nothing named never means everything.
  func filter(in pipeline: PipelineDefinition, toChange: Bool = false) throws(Refusal) -> JobFilter {
    if toChange { try refuseNothingNamed() }
    guard (error ?? "").utf8.count <= Self.maximumErrorBytes, (idPrefix ?? "").utf8.count <= JobID.maximumLength else {
      throw Refusal(
        code: .invalid,
        message: "'error' may have \(Self.maximumErrorBytes) bytes and 'id_prefix' \(JobID.maximumLength)")
    }
    var filter = JobFilter(errorContains: error, idPrefix: idPrefix)
    if id != nil { filter.id = try jobID() }
    if let states { filter.states = try Self.states(named: states) }
    if let phase {
      let phases = try Self.phases(named: phase, in: pipeline)
      guard phases.count == 1 else {
        throw Refusal(code: .invalid, message: "'\(phase)' stands in the pipeline \(phases.count) times")
      }
      filter.phase = phases[0]
    }
    return filter
  }

  private func refuseNothingNamed() throws(Refusal) {
    let texts = [("id", id), ("phase", phase), ("error", error), ("id_prefix", idPrefix)]
    if let empty = texts.first(where: { $0.1?.isEmpty == true })?.0 ?? (states?.isEmpty == true ? "states" : nil) {
      throw Refusal(code: .invalid, message: "'\(empty)' is empty; name something, or leave it out")
    }
    guard states != nil || texts.contains(where: { $0.1 != nil }) else {
      throw Refusal(
        code: .invalid, message: "name the jobs by id, states, phase, error or id_prefix: nothing named means none")
    }
  }

  private static func states(named words: [String]) throws(Refusal) -> Set<JobState> {
    var states: Set<JobState> = []
    for word in words {
      guard let state = JobState(word: word) else {
        throw Refusal(code: .invalid, message: "unknown state '\(word.prefix(64))'")
      }
      states.insert(state)
    }
    return states
  }

  static func phases(named jobType: String, in pipeline: PipelineDefinition) throws(Refusal) -> [Int] {
    let phases = pipeline.phases(of: jobType)
    guard !phases.isEmpty else {
      let names = pipeline.phases.map(\.jobType).joined(separator: ", ")
      throw Refusal(
        code: .notFound, message: "no phase '\(jobType.prefix(64))'; pipeline \(pipeline.name) has \(names)")
    }
    return phases
  }
}
