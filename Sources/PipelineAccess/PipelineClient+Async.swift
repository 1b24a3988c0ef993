internal import ControlProtocol
internal import Dispatch
internal import FoundationEssentials

// The forms of a client's calls that tasks may use: they block no thread of Swift's cooperative pool.

extension PipelineClient {
  /// Connects and has the coordinator answer once.
  ///
  /// - Throws: `PipelineClientError`; `CancellationError`, after which the client is not connected.
  public func connect() async throws {
    try open()
    do {
      _ = try await request(Verbs.Ping.self, NoArguments())
    } catch let error as PipelineClientError {
      throw await Self.onBlockingThread { [self] in
        endConnection()
        return explained(error)
      }
    } catch {
      await close()
      throw error
    }
  }

  /// Ends the connection; whoever waits for an answer gets `.closed`.
  public func close() async {
    await Self.onBlockingThread { [self] in endConnection() }
  }

  /// Returns when the coordinator has stored the job, or has refused it.
  ///
  /// - Returns: whether the job is stored, and the answer with its id.
  /// - Throws: `PipelineClientError`; `CancellationError`, after which the job may be stored or not.
  public func enqueueJob(
    pipeline: String, _ instructions: [UInt8], id: String? = nil, priority: Int = 0, delayMilliseconds: Int64 = 0
  ) async throws -> (ok: Bool, payload: EnqueueAnswer) {
    guard window.tryEnter() else { return (false, .windowFull) }
    defer { window.leave() }
    let job = Job(id: id, instructions: instructions, priority: priority, delayMilliseconds: delayMilliseconds)
    let answer = try await answers(to: try send([job], to: pipeline))[0]
    return (answer.ok, answer)
  }

  /// See `enqueueJob(pipeline:_:id:priority:delayMilliseconds:)`; `instructions` is JSON text.
  public func enqueueJob(
    pipeline: String, _ instructions: String, id: String? = nil, priority: Int = 0, delayMilliseconds: Int64 = 0
  ) async throws -> (ok: Bool, payload: EnqueueAnswer) {
    try await enqueueJob(
      pipeline: pipeline, Array(instructions.utf8), id: id, priority: priority, delayMilliseconds: delayMilliseconds)
  }

  /// See `enqueueJob(pipeline:_:id:priority:delayMilliseconds:)`; `instructions` is encoded as JSON and must make an object.
  public func enqueueJob(
    pipeline: String, encoding instructions: some Encodable & Sendable, id: String? = nil, priority: Int = 0,
    delayMilliseconds: Int64 = 0
  ) async throws -> (ok: Bool, payload: EnqueueAnswer) {
    let json = try JSONEncoder().encode(instructions)
    return try await enqueueJob(
      pipeline: pipeline, [UInt8](json), id: id, priority: priority, delayMilliseconds: delayMilliseconds)
  }

  /// Many jobs, several requests at a time: waits for room in the window instead of answering "busy".
  ///
  /// - Returns: an answer for each job, in order.
  /// - Throws: after an error, or where the task was cancelled, some of the jobs may be stored.
  public func enqueue(pipeline: String, jobs: [Job]) async throws -> [EnqueueAnswer] {
    var answers: [EnqueueAnswer] = []
    answers.reserveCapacity(jobs.count)
    var outstanding: [PendingEnqueue] = []
    defer {
      // Each holds its place until its answer is there, which nobody waits for any more.
      for pending in outstanding { leaveWindow(after: pending) }
    }
    var rest = jobs[...]
    while !rest.isEmpty || !outstanding.isEmpty {
      if !rest.isEmpty, outstanding.isEmpty { try await window.enter() }
      if !rest.isEmpty, outstanding.isEmpty || window.tryEnter() {
        let next = Self.nextRequest(of: rest)
        outstanding.append(try send(Array(next), to: pipeline, holdsWindow: true))
        rest = rest[next.endIndex...]
      } else {
        let oldest = outstanding.removeFirst()
        defer { window.leave() }
        answers += try await self.answers(to: oldest)
      }
    }
    return answers
  }

  private func leaveWindow(after pending: PendingEnqueue) {
    guard let reply = pending.reply else { return window.leave() }
    reply.whenOver { [window] _ in window.leave() }
  }

  private func answers(to pending: PendingEnqueue) async throws -> [EnqueueAnswer] {
    guard let reply = pending.reply else { return try pending.answers() }
    return try pending.answers(in: await reply.value())
  }

  /// - Parameters:
  ///   - pipeline: empty: whichever the coordinator runs.
  ///   - arguments: a JSON object.
  ///   - instructions: for a verb that takes some: JSON text, one object.
  public func request(
    _ verb: String, pipeline: String = "", arguments: [UInt8] = Array("{}".utf8), instructions: [UInt8]? = nil
  ) async throws -> Answer {
    try await request(
      verb, pipeline: pipeline, arguments: arguments, instructions: instructions,
      timeoutMilliseconds: timeoutMilliseconds)
  }

  func request(
    _ verb: String, pipeline: String, arguments: [UInt8], instructions: [UInt8]? = nil, timeoutMilliseconds: Int
  ) async throws -> Answer {
    let reply = try send(
      verb, pipeline: pipeline, arguments: arguments, instructions: instructions,
      timeoutMilliseconds: timeoutMilliseconds)
    return try answer(in: await reply.value())
  }

  /// For what blocks for a moment and has no other form.
  private static func onBlockingThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: body()) }
    }
  }
}
