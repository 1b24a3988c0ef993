internal import Hummingbird
internal import PipelineAccess
internal import PipelineModel
internal import PluginCatalog
internal import WireProtocol

/// Jobs: enqueueing, looking, acting.
struct JobRoutes {
  let cluster: Cluster
  /// Larger instructions are left out of lists.
  private static let listedInstructionsBytes = 2_048
  /// As the coordinator takes in one request.
  private static let largestChange = 10_000

  func add(to router: Router<BasicRequestContext>) {
    let jobs = router.group("/api/v1/pipelines/:pipeline/jobs")
    jobs.post { request, context in try await enqueue(request, context) }
    jobs.get { request, context in try await list(request, context) }
    jobs.get("/count") { request, context in
      let filter = try request.filter()
      return Response(json: try await link(context).ask("count", .object(filter)).0)
    }
    jobs.post("/retry") { request, context in try await change("requeue", request, context) }
    jobs.post("/cancel") { request, context in try await cancelAll(request, context) }
    jobs.delete { request, context in try await change("delete", request, context) }
    jobs.get("/:id") { _, context in try await show(context) }
    jobs.post("/:id/retry") { _, context in try await changeOne("requeue", "requeued", context) }
    jobs.post("/:id/cancel") { _, context in
      Response(json: try await link(context).ask("cancel", .object(["id": .string(context.part("id"))])).0)
    }
    jobs.delete("/:id") { _, context in try await changeOne("delete", "deleted", context) }
  }

  private func link(_ context: some RequestContext) throws -> PipelineLink {
    try cluster.link(named: context.part("pipeline"))
  }

  // MARK: - Enqueueing

  private func enqueue(_ request: Request, _ context: some RequestContext) async throws -> Response {
    let link = try link(context)
    var job = PipelineClient.Job(instructions: try await request.bytes(upTo: InstructionsJSON.maximumBytes))
    job.id = try jobID(request)
    job.priority = try request.integer("priority", in: -8...7) ?? 0
    if let seconds = try request.integer("delay_seconds", in: 0...31_536_000), seconds > 0 {
      job.delayMilliseconds = Int64(seconds) * 1_000
    }
    let answer = try await link.enqueue(pipeline: context.part("pipeline"), job)
    guard answer.ok, let id = answer.id else { throw Problem(code: answer.code, answer.message) }
    let isNew = answer.code == .ok
    var response = Response(
      json: .object(["id": .string(id), "duplicate": .bool(!isNew)]), status: isNew ? .created : .ok)
    response.headers[.location] = "\(request.uri.path)/\(id.urlPathPart)"
    return response
  }

  /// `id` is the job's own; an Idempotency-Key is made into one.
  private func jobID(_ request: Request) throws -> String? {
    if let id = request.parameter("id") { return id }
    guard let key = request.headers[.idempotencyKey] else { return nil }
    guard !key.isEmpty, key.utf8.count <= 1_024 else {
      throw Problem(.badRequest, "the Idempotency-Key must have 1 to 1024 bytes")
    }
    return "key-\(PluginCatalog.sha256(of: Array(key.utf8)).prefix(32))"
  }

  // MARK: - Looking

  private func list(_ request: Request, _ context: some RequestContext) async throws -> Response {
    var arguments = try request.filter()
    arguments["limit"] = .integer(Int64(try request.integer("limit", in: 1...200) ?? 50))
    if let cursor = request.parameter("cursor") { arguments["cursor"] = .string(cursor) }
    let (page, payloads) = try await link(context).ask("jobs", .object(arguments))
    var json = Array("{\"jobs\":[".utf8)
    for (index, (job, instructions)) in zip(page["jobs"].elements, payloads).enumerated() {
      if index > 0 { json.append(UInt8(ascii: ",")) }
      json +=
        instructions.count <= Self.listedInstructionsBytes ? document(job, instructions) : shortened(job, instructions)
    }
    json += Array("],\"next\":".utf8) + page["next"].json + Array("}".utf8)
    return Response(json: json)
  }

  private func show(_ context: some RequestContext) async throws -> Response {
    let (found, payloads) = try await link(context).ask("job", .object(["id": .string(context.part("id"))]))
    let changes = found["changes"].elements
    let job = JSONValue.object(found.members.filter { $0.key != "changes" })
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
  private func document(_ job: JSONValue, _ instructions: [UInt8]) -> [UInt8] {
    job.json.dropLast() + Array(",\"instructions\":".utf8) + instructions + Array("}".utf8)
  }

  private func shortened(_ job: JSONValue, _ instructions: [UInt8]) -> [UInt8] {
    var job = job
    job["instructions_bytes"] = .integer(Int64(instructions.count))
    return job.json
  }

  // MARK: - Acting

  private func change(_ verb: String, _ request: Request, _ context: some RequestContext) async throws -> Response {
    let filter = try request.narrowFilter()
    return Response(json: try await link(context).ask(verb, .object(filter)).0)
  }

  private func changeOne(_ verb: String, _ count: String, _ context: some RequestContext) async throws -> Response {
    let id = try context.part("id")
    let link = try link(context)
    // For the answer that it is not there at all.
    let (job, _) = try await link.ask("job", .object(["id": .string(id)]))
    let (answer, _) = try await link.ask(verb, .object(["id": .string(id)]))
    guard answer[count].integer ?? 0 > 0 else {
      throw Problem(.conflict, "job '\(id)' is \(job["state"].string ?? "in another state"); nothing was done")
    }
    return Response(json: answer)
  }

  /// One by one: a coordinator cancels single jobs, since each may have to be stopped at a worker.
  private func cancelAll(_ request: Request, _ context: some RequestContext) async throws -> Response {
    var filter = try request.narrowFilter()
    if filter["states"] == nil { filter["states"] = .array(["waiting", "delayed", "running"].map(JSONValue.string)) }
    filter["limit"] = .integer(1_000)
    let link = try link(context)
    var cancelled: Int64 = 0
    while cancelled < Self.largestChange {
      let ids = try await link.ask("jobs", .object(filter)).0["jobs"].elements.compactMap(\.["id"].string)
      let changed = await cancel(ids, at: link)
      cancelled += changed
      // Those that are left have ended by themselves meanwhile.
      if changed == 0 { break }
    }
    return Response(json: .object(["cancelled": .integer(cancelled)]))
  }

  private func cancel(_ ids: [String], at link: PipelineLink) async -> Int64 {
    await withTaskGroup(of: Int64.self) { group in
      var rest = ids[...]
      func next() {
        guard let id = rest.popFirst() else { return }
        group.addTask { (try? await link.ask("cancel", .object(["id": .string(id)]))) == nil ? 0 : 1 }
      }
      for _ in 0..<32 { next() }
      var cancelled: Int64 = 0
      for await count in group {
        cancelled += count
        next()
      }
      return cancelled
    }
  }
}
