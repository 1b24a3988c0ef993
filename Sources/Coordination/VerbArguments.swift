internal import JobStorage
internal import PipelineModel
internal import WireProtocol

/// A request that cannot be carried out, with the answer for whoever sent it.
struct Refusal: Error {
  var code: ReplyCode
  var message: String
}

/// The arguments of the verbs; every member is optional, what a verb needs is said in docs/wire-protocol.md.
struct VerbArguments {
  enum Member: String, CodingKey {
    case id, ids, states, phase, error, containing, cursor, limit, minutes, step, worker, plugin, after, level
    case idPrefix = "id_prefix"
    case since = "since_ms"
    case until = "until_ms"
  }

  var id: String?
  var ids: [String]?
  var states: [String]?
  var phase: String?
  var error: String?
  /// Part of the instructions.
  var containing: String?
  var idPrefix: String?
  var cursor: String?
  var limit: Int?
  var minutes: Int?
  var step: Int?
  var worker: String?
  var plugin: String?
  var after: Int?
  var level: String?
  /// Bounds of a job's last change, in milliseconds since 1970; both belong to it.
  var since: Int64?
  var until: Int64?

  private static let maximumErrorBytes = 1_024
  private static let maximumCursorBytes = 256
  private static let maximumMinutes = 7 * 24 * 60

  /// Those that say which jobs are meant.
  private static let filterMembers: Set<Member> = [.id, .states, .phase, .error, .idPrefix, .since, .until]

  /// What a verb knows; nil where there is no such verb.
  static func members(of verb: String) -> Set<Member>? {
    switch verb {
    case "ping", "status", "totals", "actions": []
    case "job", "await", "action", "stop-action": [.id]
    case "states": [.ids]
    case "jobs": filterMembers.union([.containing, .cursor, .limit])
    case "count", "cancel", "requeue", "delete": filterMembers
    case "logs": [.id, .phase, .level, .after, .limit]
    case "history": [.minutes, .step]
    case "metrics": [.minutes]
    case "pause", "resume": [.phase]
    case "drain": [.worker]
    case "release": [.plugin, .phase]
    default: nil
    }
  }

  /// Verbs that do something to what is named.
  private static let changing: Set<String> = [
    "cancel", "requeue", "delete", "pause", "resume", "drain", "release", "stop-action",
  ]

  /// The longest list of ids, each of them escaped, is the most that anybody may have to say: decoding is work of the loop.
  private static func maximumBytes(of verb: String) -> Int { verb == "states" ? 288 << 10 : 16 << 10 }

  /// - Parameter payload: as on the wire.
  static func decoding(_ payload: [UInt8], of verb: String) throws(Refusal) -> VerbArguments {
    guard let known = members(of: verb) else {
      throw Refusal(code: .invalid, message: "unknown verb '\(verb.prefix(64))'")
    }
    let received: ReceivedArguments
    do {
      let json = try CompressedJSON.json(in: payload, maximumBytes: maximumBytes(of: verb))
      received = try ReceivedArguments(json: json.isEmpty ? Array("{}".utf8) : json)
    } catch {
      throw Refusal(code: .invalid, message: "the arguments are not a JSON object with the members of the verb")
    }
    // What is misspelt, or said to a verb that does not heed it, must not be passed over: a filter that says less means more.
    if let unknown = received.names.subtracting(known.map(\.rawValue)).min() {
      throw Refusal(code: .invalid, message: "'\(verb)' has no argument '\(unknown.prefix(64))'")
    }
    if received.hasDuplicates {
      throw Refusal(code: .invalid, message: "an argument stands there twice; name each once")
    }
    if changing.contains(verb), let empty = received.nulls.min() {
      throw Refusal(code: .invalid, message: "'\(empty)' is null; name something, or leave it out")
    }
    return received.arguments
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

  /// Digits that the SHA-256 of a build begins with: as many as it takes to tell builds apart, or more.
  func buildDigits() throws(Refusal) -> String {
    guard let plugin, (6...64).contains(plugin.utf8.count),
      plugin.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) })
    else {
      throw Refusal(code: .invalid, message: "'plugin' must be the first 6 to 64 digits of a build's SHA-256")
    }
    return plugin
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

  func search() throws(Refusal) -> InstructionsSearch? {
    guard let containing else { return nil }
    guard (1...InstructionsSearch.maximumTextBytes).contains(containing.utf8.count) else {
      throw Refusal(
        code: .invalid, message: "'containing' must be a text of 1 to \(InstructionsSearch.maximumTextBytes) bytes")
    }
    return InstructionsSearch(for: containing)
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
    filter.changed = try changed()
    return filter
  }

  /// When the jobs that are meant have changed; nil: whenever.
  private func changed() throws(Refusal) -> ClosedRange<Timestamp>? {
    guard since != nil || until != nil else { return nil }
    let (first, last) = (since ?? .min, until ?? .max)
    guard first <= last else {
      throw Refusal(code: .invalid, message: "'since_ms' is later than 'until_ms', so that no job can match")
    }
    return Timestamp(milliseconds: first)...Timestamp(milliseconds: last)
  }

  private func refuseNothingNamed() throws(Refusal) {
    let texts = [("id", id), ("phase", phase), ("error", error), ("id_prefix", idPrefix)]
    if let empty = texts.first(where: { $0.1?.isEmpty == true })?.0 ?? (states?.isEmpty == true ? "states" : nil) {
      throw Refusal(code: .invalid, message: "'\(empty)' is empty; name something, or leave it out")
    }
    guard states != nil || since != nil || until != nil || texts.contains(where: { $0.1 != nil }) else {
      throw Refusal(
        code: .invalid,
        message: "name the jobs by id, states, phase, error, id_prefix, since_ms or until_ms: nothing named means none")
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
