internal import ControlProtocol
internal import Dispatch
internal import FoundationEssentials
internal import PipelineAccess
internal import Synchronization
internal import WireProtocol

/// One coordinator, asked over and over; connects by itself, and again.
final class PipelineLink: Sendable {
  private enum Connection {
    case none
    /// By one attempt, for whoever waits.
    case connecting([CheckedContinuation<PipelineClient, any Error>])
    case open(PipelineClient)
    case closed
  }

  let address: String
  private let connection = Mutex(Connection.none)
  private let gate: RequestGate
  /// A thread of its own, so that coordinators that are gone do not take those that everything else needs.
  private let connecting: DispatchQueue

  /// How long an answer is waited for. A coordinator answers in milliseconds; this bounds how long one that is gone
  /// looks as if it were there.
  private static let timeoutMilliseconds = 3_000

  init(address: String, limits: WebLimits) {
    self.address = address
    gate = RequestGate(limit: limits.asked, waiting: limits.waiting)
    connecting = DispatchQueue(label: "carbontube.connect.\(address)")
  }

  func close() {
    let before = connection.withLock { connection in
      let before = connection
      connection = .closed
      return before
    }
    switch before {
    case .open(let client): client.close()
    case .connecting(let waiting): for each in waiting { each.resume(throwing: closed) }
    case .none, .closed: break
    }
  }

  // MARK: - Asking

  /// For people who ask; waits for its turn behind others that do.
  ///
  /// - Returns: the JSON document, and the payloads after it as JSON texts.
  /// - Throws: `Problem`.
  func ask(
    _ verb: String, _ arguments: JSONDocument = .object([:]), instructions: [UInt8]? = nil
  ) async throws -> (JSONDocument, [[UInt8]]) {
    try await inTurn { try await self.look(verb, arguments, instructions: instructions) }
  }

  /// For the server's own looks, which people who ask a lot do not keep out.
  func look(
    _ verb: String, _ arguments: JSONDocument = .object([:]), instructions: [UInt8]? = nil
  ) async throws -> (JSONDocument, [[UInt8]]) {
    let answer = try await Self.inWords(address, mayHaveChanged: Verbs.named(verb)?.effect != .looks) {
      try await self.connected().request(verb, arguments: arguments.json, instructions: instructions)
    }
    guard answer.code == .ok else { throw Problem(code: answer.code, answer.message) }
    do {
      return (try JSONDocument(parsing: answer.body), try answer.payloads.map { try CompressedJSON.json(in: $0) })
    } catch {
      throw Problem(.badGateway, "the coordinator at \(address) answers \(verb) with what is no JSON")
    }
  }

  /// - Throws: `Problem` where nobody answers; what is refused is an answer.
  func enqueue(pipeline: String, _ job: PipelineClient.Job) async throws -> EnqueueAnswer {
    try await inTurn {
      try await Self.inWords(self.address, mayHaveChanged: true) {
        try await self.connected().enqueueJob(
          pipeline: pipeline, job.instructions, id: job.id, priority: job.priority,
          delayMilliseconds: job.delayMilliseconds
        ).payload
      }
    }
  }

  /// - Throws: `Problem` where nobody answers, after which some may be stored; what is refused is an answer.
  func enqueue(pipeline: String, _ jobs: [PipelineClient.Job]) async throws -> [EnqueueAnswer] {
    guard !jobs.isEmpty else { return [] }
    return try await inTurn {
      try await Self.inWords(self.address, mayHaveChanged: true) {
        try await self.connected().enqueue(pipeline: pipeline, jobs: jobs)
      }
    }
  }

  private func inTurn<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
      return try await gate.pass(body)
    } catch is RequestGate.Busy {
      throw Problem(code: .busy, "too many requests to the coordinator at \(address) are under way; try again later")
    }
  }

  private static func inWords<Value>(
    _ address: String, mayHaveChanged: Bool, _ body: () async throws -> Value
  ) async throws -> Value {
    do {
      return try await body()
    } catch let error as PipelineClientError {
      guard error.kind == .timedOut else { throw Problem(.serviceUnavailable, error.message) }
      let silence = "the coordinator at \(address) did not answer within \(timeoutMilliseconds / 1_000) s"
      throw Problem(
        .serviceUnavailable,
        mayHaveChanged ? "\(silence); what was asked may be done or not: look before you do it again" : silence)
    }
  }

  // MARK: - Connecting

  private var closed: Problem { Problem(.serviceUnavailable, "this server is stopping") }

  /// A client that has been answered once connects again by itself.
  private func connected() async throws -> PipelineClient {
    try await withCheckedThrowingContinuation { waiting in
      let present: Result<PipelineClient, any Error>? = connection.withLock { connection in
        switch connection {
        case .open(let client): return .success(client)
        case .closed: return .failure(closed)
        case .connecting(let others): connection = .connecting(others + [waiting])
        case .none:
          connection = .connecting([waiting])
          connecting.async { self.connect() }
        }
        return nil
      }
      if let present { waiting.resume(with: present) }
    }
  }

  private func connect() {
    let client = PipelineClient(address, hwm: 256, timeoutMilliseconds: Self.timeoutMilliseconds)
    var outcome: Result<PipelineClient, any Error> = .success(client)
    do throws(PipelineClientError) {
      try client.connect()
    } catch {
      outcome = .failure(Problem(.serviceUnavailable, error.message))
    }
    let isUp = if case .success = outcome { true } else { false }
    let waiting = connection.withLock { connection -> [CheckedContinuation<PipelineClient, any Error>]? in
      guard case .connecting(let waiting) = connection else { return nil }
      connection = isUp ? .open(client) : .none
      return waiting
    }
    guard let waiting else { return client.close() }
    for each in waiting { each.resume(with: outcome) }
  }
}
