internal import ControlProtocol
internal import FoundationEssentials
internal import Synchronization
public import WireProtocol
internal import ZeroMQTransport

/// Gives jobs to a coordinator and asks it about them.
///
///     let client = PipelineClient("tcp://127.0.0.1:5050", hwm: 10)
///     try client.connect()
///     let (ok, payload) = try client.enqueueJob(pipeline: "example-one", #"{"size": 10}"#)
///     print(ok, payload.id ?? payload.message)
///
/// All methods may be called from any thread. Each has two forms: from tasks the `async` one is taken; the other blocks
/// until the answer is there or the time-out has passed, and is not to be had there. A task that is cancelled stops
/// waiting with `CancellationError`; what it asked for may be done nevertheless. A connection that breaks is made again in
/// the background.
public final class PipelineClient: Sendable {
  /// A job to be enqueued.
  public struct Job: Hashable, Sendable {
    /// Nil: the coordinator makes one. With one of your own, enqueueing again does no harm.
    public var id: String?
    /// JSON text: one object.
    public var instructions: [UInt8]
    /// -8 to 7; higher goes first.
    public var priority: Int
    /// How long the job waits before it may start, from its arrival at the coordinator. At most 100 years.
    public var delayMilliseconds: Int64

    public init(id: String? = nil, instructions: [UInt8], priority: Int = 0, delayMilliseconds: Int64 = 0) {
      self.id = id
      self.instructions = instructions
      self.priority = priority
      self.delayMilliseconds = delayMilliseconds
    }
  }

  public let address: String
  /// Requests that may be without an answer at a time.
  public let hwm: Int
  let timeoutMilliseconds: Int
  let window: RequestWindow
  private let loop = Mutex<ClientLoop?>(nil)

  /// - Parameters:
  ///   - address: the coordinator's intake (`--job-pull`), e.g. `tcp://127.0.0.1:5050`.
  ///   - hwm: how many requests may be without an answer; beyond it `enqueueJob` answers "busy, try again later".
  ///   - timeoutMilliseconds: how long any answer is waited for.
  public init(_ address: String, hwm: Int = 10, timeoutMilliseconds: Int = 10_000) {
    self.address = address
    self.hwm = max(1, hwm)
    self.timeoutMilliseconds = max(1, timeoutMilliseconds)
    window = RequestWindow(places: self.hwm)
  }

  deinit { endConnection() }

  /// Connects and has the coordinator answer once.
  @available(*, noasync, message: "blocks; in a task write: try await connect()")
  public func connect() throws(PipelineClientError) {
    try open()
    do throws(PipelineClientError) {
      _ = try request(Verbs.Ping.self, NoArguments())
    } catch {
      endConnection()
      throw explained(error)
    }
  }

  /// A connection in the making; nobody has answered yet.
  func open() throws(PipelineClientError) {
    if let problem = addressProblem(address, binding: false) { throw PipelineClientError(.address, problem) }
    let fresh = try ClientLoop(address: address)
    loop.withLock { present in
      present?.close()
      present = fresh
    }
  }

  private static let probeMilliseconds = 1_000

  /// Why nobody has answered, as far as can be found out; blocks for a second at most.
  func explained(_ error: PipelineClientError) -> PipelineClientError {
    guard error.kind == .timedOut || error.kind == .unreachable else { return error }
    let finding = ListenerProbe.look(at: address, withinMilliseconds: Self.probeMilliseconds)
    let reason = finding.map { ": \($0.reason(expecting: "ROUTER"))" } ?? ""
    return PipelineClientError(
      .unreachable,
      "no coordinator answers at \(address)\(reason); start one with 'carbontube pipeline', or check the address")
  }

  /// Ends the connection; whoever waits for an answer gets `.closed`. Waits for the connection's thread, which ends within
  /// a tenth of a second.
  @available(*, noasync, message: "waits for a thread; in a task write: await close()")
  public func close() { endConnection() }

  func endConnection() {
    loop.withLock { present in
      present?.close()
      present = nil
    }
  }

  // MARK: Enqueueing

  /// Returns when the coordinator has stored the job, or has refused it.
  ///
  /// - Returns: whether the job is stored, and the answer with its id.
  @available(*, noasync, message: "blocks; in a task write: try await enqueueJob(…)")
  public func enqueueJob(
    pipeline: String, _ instructions: [UInt8], id: String? = nil, priority: Int = 0, delayMilliseconds: Int64 = 0
  ) throws(PipelineClientError) -> (ok: Bool, payload: EnqueueAnswer) {
    guard window.tryEnter() else { return (false, .windowFull) }
    defer { window.leave() }
    let job = Job(id: id, instructions: instructions, priority: priority, delayMilliseconds: delayMilliseconds)
    let answer = try send([job], to: pipeline).answers()[0]
    return (answer.ok, answer)
  }

  /// See `enqueueJob(pipeline:_:id:priority:delayMilliseconds:)`; `instructions` is JSON text.
  @available(*, noasync, message: "blocks; in a task write: try await enqueueJob(…)")
  public func enqueueJob(
    pipeline: String, _ instructions: String, id: String? = nil, priority: Int = 0, delayMilliseconds: Int64 = 0
  ) throws(PipelineClientError) -> (ok: Bool, payload: EnqueueAnswer) {
    try enqueueJob(
      pipeline: pipeline, Array(instructions.utf8), id: id, priority: priority, delayMilliseconds: delayMilliseconds)
  }

  /// See `enqueueJob(pipeline:_:id:priority:delayMilliseconds:)`; `instructions` is encoded as JSON and must make an object.
  @available(*, noasync, message: "blocks; in a task write: try await enqueueJob(…)")
  public func enqueueJob(
    pipeline: String, encoding instructions: some Encodable, id: String? = nil, priority: Int = 0,
    delayMilliseconds: Int64 = 0
  ) throws -> (ok: Bool, payload: EnqueueAnswer) {
    let json = try JSONEncoder().encode(instructions)
    return try enqueueJob(
      pipeline: pipeline, [UInt8](json), id: id, priority: priority, delayMilliseconds: delayMilliseconds)
  }

  /// Many jobs, several requests at a time: waits for room in the window instead of answering "busy".
  ///
  /// - Returns: an answer for each job, in order. After an error some of the jobs may be stored.
  @available(*, noasync, message: "blocks; in a task write: try await enqueue(…)")
  public func enqueue(pipeline: String, jobs: [Job]) throws(PipelineClientError) -> [EnqueueAnswer] {
    var answers: [EnqueueAnswer] = []
    answers.reserveCapacity(jobs.count)
    var outstanding: [PendingEnqueue] = []
    defer {
      for pending in outstanding {
        pending.waitUntilOver()
        window.leave()
      }
    }
    var rest = jobs[...]
    while !rest.isEmpty || !outstanding.isEmpty {
      // With nothing under way the window is waited for; else the oldest answer is.
      if !rest.isEmpty, outstanding.isEmpty { window.enter() }
      if !rest.isEmpty, outstanding.isEmpty || window.tryEnter() {
        let next = Self.nextRequest(of: rest)
        outstanding.append(try send(Array(next), to: pipeline, holdsWindow: true))
        rest = rest[next.endIndex...]
      } else {
        let oldest = outstanding.removeFirst()
        defer { window.leave() }
        answers += try oldest.answers()
      }
    }
    return answers
  }

  private static let jobsPerRequest = 200
  /// A coordinator looks at one message at a time.
  private static let bytesPerRequest = 4 << 20

  /// As many jobs as make a message of bearable size, at least one.
  static func nextRequest(of jobs: ArraySlice<Job>) -> ArraySlice<Job> {
    var bytes = 0
    let end = jobs.prefix(jobsPerRequest).firstIndex { job in
      defer { bytes += job.instructions.count }
      return bytes > 0 && bytes + job.instructions.count > bytesPerRequest
    }
    return end.map { jobs[..<$0] } ?? jobs.prefix(jobsPerRequest)
  }

  func send(
    _ jobs: [Job], to pipeline: String, holdsWindow: Bool = false
  ) throws(PipelineClientError) -> PendingEnqueue {
    let pending = PendingEnqueue(jobs)
    guard !pending.accepted.isEmpty else { return pending }
    do throws(PipelineClientError) {
      let loop = try openLoop()
      let accepted = pending.accepted
      pending.reply = loop.send(timeoutMilliseconds: timeoutMilliseconds, changesSomething: true) { request in
        let heads = accepted.map {
          EnqueueRequest.Job(id: $0.id, priority: $0.priority, delayMilliseconds: $0.delayMilliseconds)
        }
        let header = EnqueueRequest(request: request, pipeline: pipeline, jobs: heads).encoded()
        return [header] + accepted.map(\.payload)
      }
      return pending
    } catch {
      if holdsWindow { window.leave() }
      throw error
    }
  }

  // MARK: Asking

  /// An answer to a verb: its code, a sentence where it was refused, a JSON document, and the payloads after it, as
  /// docs/wire-protocol.md has them.
  public struct Answer: Hashable, Sendable {
    public var code: ReplyCode
    public var message: String
    public var body: [UInt8]
    public var payloads: [[UInt8]]

    /// The JSON document as the verb's `Answer`, or as a type of yours; its members are in snake_case
    /// (docs/wire-protocol.md, "Requests").
    /// - Throws: `DecodingError`.
    public func decoded<Document: Decodable>(as type: Document.Type = Document.self) throws -> Document {
      try JSONDecoder().decode(type, from: Data(body))
    }
  }

  /// - Parameters:
  ///   - pipeline: empty: whichever the coordinator runs.
  ///   - arguments: a JSON object.
  ///   - instructions: for a verb that takes some: JSON text, one object.
  @available(*, noasync, message: "blocks; in a task write: try await request(…)")
  public func request(
    _ verb: String, pipeline: String = "", arguments: [UInt8] = Array("{}".utf8), instructions: [UInt8]? = nil
  ) throws(PipelineClientError) -> Answer {
    try request(
      verb, pipeline: pipeline, arguments: arguments, instructions: instructions,
      timeoutMilliseconds: timeoutMilliseconds)
  }

  func request(
    _ verb: String, pipeline: String, arguments: [UInt8], instructions: [UInt8]? = nil, timeoutMilliseconds: Int
  ) throws(PipelineClientError) -> Answer {
    try answer(
      in: send(
        verb, pipeline: pipeline, arguments: arguments, instructions: instructions,
        timeoutMilliseconds: timeoutMilliseconds
      ).wait())
  }

  func send(
    _ verb: String, pipeline: String, arguments: [UInt8], instructions: [UInt8]? = nil, timeoutMilliseconds: Int
  ) throws(PipelineClientError) -> PendingReply {
    // Where nobody answers one that only looks, nothing is in doubt.
    let looks = Verbs.named(verb)?.effect == .looks
    // A coordinator ends the connection of whoever sends more.
    guard instructions?.count ?? 0 <= InstructionsJSON.maximumBytes else {
      throw PipelineClientError(
        .refused, "instructions are larger than the limit of \(InstructionsJSON.maximumBytes) bytes")
    }
    let payload = instructions.map(CompressedJSON.payload)
    return try openLoop().send(timeoutMilliseconds: timeoutMilliseconds, changesSomething: !looks) { request in
      [Request(request: request, pipeline: pipeline, verb: verb).encoded(), CompressedJSON.payload(for: arguments)]
        + [payload].compactMap(\.self)
    }
  }

  func answer(in frames: [[UInt8]]) throws(PipelineClientError) -> Answer {
    do {
      let header = try Reply(decoding: frames[0])
      let body = frames.count > 1 ? try CompressedJSON.json(in: frames[1]) : []
      return Answer(
        code: header.code, message: header.message, body: body, payloads: Array(frames.dropFirst(2)))
    } catch {
      throw PipelineClientError(.protocolViolation, "\(address) answers what is no reply: \(error)")
    }
  }

  private func openLoop() throws(PipelineClientError) -> ClientLoop {
    guard let loop = loop.withLock({ $0 }) else {
      throw PipelineClientError(.closed, "the client of \(address) is not connected")
    }
    return loop
  }
}
