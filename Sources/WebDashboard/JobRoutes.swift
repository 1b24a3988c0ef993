internal import HTTPTypes
internal import Hummingbird
internal import PipelineAccess
internal import PipelineModel
internal import WireProtocol

/// Single jobs: enqueueing, looking, acting.
struct JobRoutes {
  let directory: CoordinatorDirectory
  let keys = IdempotencyKeys()
  /// Larger instructions are left out of lists.
  private static let listedInstructionsBytes = 2_048
  private static let base = "/api/v1/pipelines/:pipeline"
  /// 100 years.
  private static let longestDelaySeconds = 3_155_760_000

  var routes: [Route] {
    [
      .post(
        "\(Self.base)/jobs", ["id", "priority", "delay_seconds"], largestBody: InstructionsJSON.maximumBytes
      ) { call in try await enqueue(call) },
      .get("\(Self.base)/jobs", .filter + ["containing", "limit", "cursor"]) { call in try await list(call) },
    ] + routesOfOne("\(Self.base)/jobs/:id", .none) { call in try call.part("id") }
      // Browsers take the ids . and .. for folders, however they are encoded in a path.
      + routesOfOne("\(Self.base)/job", ["id"]) { call in
        guard let id = call.query["id"] else { throw Problem(.badRequest, "'id' must name the job") }
        return id
      }
  }

  private func routesOfOne(
    _ path: String, _ parameters: AcceptedParameters, _ id: @escaping @Sendable (Call) throws -> String
  ) -> [Route] {
    let requeue: @Sendable (Call) async throws -> Response = { call in
      try await change("requeue", "requeued", id(call), call)
    }
    return [
      .get(path, parameters) { call in try await show(id(call), call) },
      .delete(path, parameters) { call in try await change("delete", "deleted", id(call), call) },
      // A body takes the place of the job's instructions.
      .post("\(path)/requeue", parameters, largestBody: InstructionsJSON.maximumBytes, requeue),
      // The former name: programs that were written for it go on.
      .post("\(path)/retry", parameters, largestBody: InstructionsJSON.maximumBytes, requeue),
      .post("\(path)/cancel", parameters) { call in try await change("cancel", "cancelled", id(call), call) },
    ]
  }

  // MARK: - Enqueueing

  private func enqueue(_ call: Call) async throws -> Response {
    let link = try directory.link(for: call)
    let pipeline = try call.part("pipeline")
    let key = try Self.idempotencyKey(call)
    if BulkJobs.isBulk(call.body, contentType: call.request.headers[.contentType]) {
      return try await enqueueMany(call, key, to: pipeline, at: link)
    }
    var job = PipelineClient.Job(instructions: call.body)
    job.id = call.query["id"] ?? key.map(IdempotencyKeys.jobID)
    job.priority = try call.query.integer("priority", in: -8...7) ?? 0
    if let seconds = try call.query.integer("delay_seconds", in: 0...Self.longestDelaySeconds), seconds > 0 {
      job.delayMilliseconds = Int64(seconds) * 1_000
    }
    let answer = try await link.enqueue(pipeline: pipeline, job)
    guard answer.ok, let id = answer.id else { throw Problem(code: answer.code, answer.message) }
    let isNew = answer.code == .ok
    if key != nil { try await checkBody(call.body, of: id, isNew: isNew, at: link) }
    var response = Response(
      json: .object(["id": .string(id), "duplicate": .bool(!isNew)]), status: isNew ? .created : .ok)
    response.headers[.location] = Self.location(of: id, in: pipeline)
    return response
  }

  private func enqueueMany(
    _ call: Call, _ key: String?, to pipeline: String, at link: PipelineLink
  ) async throws -> Response {
    guard call.query["id"] == nil else {
      throw Problem(.badRequest, "'id' names one job; give each of several its own as a member")
    }
    let delay = try call.query.integer("delay_seconds", in: 0...Self.longestDelaySeconds) ?? 0
    let bulk = try BulkJobs(
      call.body, contentType: call.request.headers[.contentType], idPrefix: key.map(IdempotencyKeys.jobID),
      priority: try call.query.integer("priority", in: -8...7) ?? 0, delayMilliseconds: Int64(delay) * 1_000)
    if let problem = bulk.problem { throw problem }
    let answers = try await link.enqueue(pipeline: pipeline, bulk.jobs)
    return Response(json: bulk.document(answers))
  }

  private static func location(of id: String, in pipeline: String) -> String {
    let jobs = "/api/v1/pipelines/\(pipeline.percentEncoded)/job"
    return id == "." || id == ".." ? "\(jobs)?id=\(id)" : "\(jobs)s/\(id.percentEncoded)"
  }

  private static func idempotencyKey(_ call: Call) throws(Problem) -> String? {
    let keys = call.request.headers[values: .idempotencyKey]
    guard let key = keys.first else { return nil }
    guard keys.count == 1, !key.isEmpty, key.utf8.count <= 1_024 else {
      throw Problem(.badRequest, "there must be one Idempotency-Key, of 1 to 1024 bytes")
    }
    guard call.query["id"] == nil else {
      throw Problem(.badRequest, "'id' and Idempotency-Key each name the job; give one of them")
    }
    return key
  }

  /// - Throws: `Problem` where the key came with another body before.
  private func checkBody(_ body: [UInt8], of id: String, isNew: Bool, at link: PipelineLink) async throws {
    if isNew { return keys.remember(body, for: id) }
    var isSame = keys.isSame(body, as: id)
    // Enqueued before this server began: instructions that no phase has changed are what came with the key.
    if isSame == nil, let (job, payloads) = try? await link.ask("job", .object(["id": .string(id)])),
      job["phase"].integer == 0, job["changes"].elements.isEmpty, job["state"].string != "succeeded",
      let first = payloads.first
    {
      isSame = first == body
    }
    guard isSame ?? true else {
      throw Problem(
        .unprocessableContent,
        "this Idempotency-Key came with another body before, as job '\(id)'; give another job another key")
    }
  }

  // MARK: - Looking

  private func list(_ call: Call) async throws -> Response {
    var arguments = try call.query.filter
    arguments["limit"] = .integer(Int64(try call.query.integer("limit", in: 1...200) ?? 50))
    for name in ["cursor", "containing"] { if let text = call.query[name] { arguments[name] = .string(text) } }
    let (page, payloads) = try await directory.link(for: call).ask("jobs", .object(arguments))
    var json = Array("{\"jobs\":[".utf8)
    for (index, (job, instructions)) in zip(page["jobs"].elements, payloads).enumerated() {
      if index > 0 { json.append(UInt8(ascii: ",")) }
      json +=
        instructions.count <= Self.listedInstructionsBytes ? document(job, instructions) : shortened(job, instructions)
    }
    json += Array("],\"next\":".utf8) + page["next"].json
    if page["examined"] != .null { json += Array(",\"examined\":".utf8) + page["examined"].json }
    json += Array("}".utf8)
    return Response(json: json)
  }

  private func show(_ id: String, _ call: Call) async throws -> Response {
    let (found, payloads) = try await directory.link(for: call).ask("job", .object(["id": .string(id)]))
    let changes = found["changes"].elements
    let job = JSONDocument.object(found.members.filter { $0.key != "changes" })
    var json = job.json.dropLast() + Array(",\"changes\":[".utf8)
    for (index, change) in changes.enumerated() where payloads.count > 2 * index + 2 {
      if index > 0 { json.append(UInt8(ascii: ",")) }
      json += change.json.dropLast() + Array(",\"before\":".utf8) + payloads[2 * index + 1]
      json += Array(",\"after\":".utf8) + payloads[2 * index + 2] + Array("}".utf8)
    }
    json += Array("],\"instructions\":".utf8) + (payloads.first ?? Array("{}".utf8)) + Array("}".utf8)
    return Response(json: Array(json))
  }

  /// The instructions as they are, byte for byte: a number that passes through a parser may be another one.
  private func document(_ job: JSONDocument, _ instructions: [UInt8]) -> [UInt8] {
    job.json.dropLast() + Array(",\"instructions\":".utf8) + instructions + Array("}".utf8)
  }

  private func shortened(_ job: JSONDocument, _ instructions: [UInt8]) -> [UInt8] {
    var job = job
    job["instructions_bytes"] = .integer(Int64(instructions.count))
    return job.json
  }

  // MARK: - Acting

  private func change(_ verb: String, _ count: String, _ id: String, _ call: Call) async throws -> Response {
    let link = try directory.link(for: call)
    let named: JSONDocument = .object(["id": .string(id)])
    if !call.body.isEmpty {
      do { try InstructionsJSON.check(call.body) } catch { throw Problem(.badRequest, error.message) }
    }
    // For the answer that it is not there at all, and for the state that it was in.
    let (job, _) = try await link.ask("job", named)
    let state = job["state"].string ?? "in another state"
    let conflict = Problem(.conflict, "job '\(id)' is \(state); nothing was done")
    let answer: JSONDocument
    do {
      answer = try await link.ask(verb, named, instructions: call.body.isEmpty ? nil : call.body).0
    } catch let problem as Problem {
      throw problem.code == .invalid ? conflict : problem
    }
    guard answer["was"] != .null || answer[count].integer ?? 0 > 0 else { throw conflict }
    return Response(json: .object([count: .integer(1)]))
  }
}
