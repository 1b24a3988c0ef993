internal import Hummingbird
internal import PipelineModel

/// What is done to all jobs that a filter names. Up to so many are changed at once; more are worked off by the
/// coordinator, and the answer says under which id that is seen and stopped.
struct ActionRoutes {
  let directory: CoordinatorDirectory

  private static let base = "/api/v1/pipelines/:pipeline"
  private static let largestBody = 64 << 10
  private static let verbs = ["cancel", "delete", "requeue"]

  var routes: [Route] {
    [
      .get("\(Self.base)/job-count", .filter) { call in try await begin("count", try call.query.filter, call) },
      .post("\(Self.base)/actions", largestBody: Self.largestBody) { call in
        let (verb, filter) = try Self.meant(by: call.body)
        return try await begin(verb, filter, call)
      },
      .delete("\(Self.base)/jobs", .filter) { call in try await begin("delete", call.query.narrowFilter(), call) },
      .get("\(Self.base)/actions") { call in
        let actions = try await directory.link(for: call).ask("actions").0["actions"].elements
        return Response(json: .object(["actions": .array(actions)]))
      },
      .get("\(Self.base)/actions/:id") { call in try await one("action", call) },
      .delete("\(Self.base)/actions/:id") { call in try await one("stop-action", call) },
    ]
  }

  private func one(_ verb: String, _ call: Call) async throws -> Response {
    let id = JSONDocument.string(try call.part("id"))
    return Response(json: try await directory.link(for: call).ask(verb, .object(["id": id])).0)
  }

  private func begin(_ verb: String, _ filter: [String: JSONDocument], _ call: Call) async throws -> Response {
    let answer = try await directory.link(for: call).ask(verb, .object(filter)).0
    guard let id = answer["action"].string else { return Response(json: answer) }
    var response = Response(json: answer, status: .accepted)
    response.headers[.location] =
      "/api/v1/pipelines/\(try call.part("pipeline").percentEncoded)/actions/\(id.percentEncoded)"
    return response
  }

  /// `{"verb": "requeue", "filter": {"state": ["dead"], …}}`: the names are those of the query.
  ///
  /// - Returns: the coordinator's verb, and its arguments.
  /// - Throws: `Problem` that names the member.
  static func meant(by body: [UInt8]) throws(Problem) -> (verb: String, filter: [String: JSONDocument]) {
    guard let document = try? JSONDocument(parsing: body), case .object(let members) = document else {
      throw Problem(.badRequest, #"the body must be an object: {"verb": "requeue", "filter": {"state": ["dead"]}}"#)
    }
    try refuseUnknown(members, known: ["verb", "filter"], in: "the body")
    // The former name: programs that were written for it go on.
    let verb = members["verb"]?.string.map { $0 == "retry" ? "requeue" : $0 }
    guard let verb, verbs.contains(verb) else {
      throw Problem(.badRequest, "'verb' must be one of \(verbs.joined(separator: ", "))")
    }
    guard case .object(let given)? = members["filter"] else {
      throw Problem(.badRequest, "'filter' must be an object that names the jobs")
    }
    try refuseUnknown(given, known: AcceptedParameters.filter.names, in: "'filter'")
    guard !given.isEmpty else { throw .namesNothing }
    return (verb, try filter(given, now: .now()))
  }

  private static func filter(
    _ given: [String: JSONDocument], now: Timestamp
  ) throws(Problem) -> [String: JSONDocument] {
    var filter: [String: JSONDocument] = [:]
    for (name, value) in given {
      switch name {
      case "state": filter["states"] = .array(try states(value))
      case "since", "until":
        let word = try text(value, name).string ?? ""
        filter["\(name)_ms"] = try QueryParameters.moment(word, name, now: now)
      default: filter[name] = try text(value, name)
      }
    }
    return filter
  }

  private static func refuseUnknown(
    _ members: [String: JSONDocument], known: [String], in place: String
  ) throws(Problem) {
    guard let unknown = members.keys.sorted().first(where: { !known.contains($0) }) else { return }
    throw Problem(
      .badRequest,
      "no member '\(unknown.shownInAnswers)' is known in \(place); known are \(known.joined(separator: ", "))")
  }

  private static func states(_ value: JSONDocument) throws(Problem) -> [JSONDocument] {
    if case .string = value { return [try text(value, "state")] }
    guard case .array(let words) = value, !words.isEmpty else {
      throw Problem(.badRequest, "'state' must be a state, or a list of states that is not empty")
    }
    var states: [JSONDocument] = []
    for word in words { states.append(try text(word, "state")) }
    return states
  }

  private static func text(_ value: JSONDocument, _ name: String) throws(Problem) -> JSONDocument {
    guard case .string(let text) = value, !text.isEmpty else {
      throw Problem(.badRequest, "'\(name)' must be text that is not empty")
    }
    return value
  }
}
