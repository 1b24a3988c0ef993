internal import Dispatch
internal import FoundationEssentials
internal import PipelineAccess
internal import Synchronization
internal import WireProtocol

/// One coordinator, asked over and over; connects by itself, and again.
final class PipelineLink: Sendable {
  let address: String
  private let client: Mutex<PipelineClient?>

  /// How long an answer is waited for. A coordinator answers in milliseconds; this bounds how long one that is gone
  /// looks as if it were there.
  private static let timeoutMilliseconds = 3_000

  init(address: String) {
    self.address = address
    client = Mutex(nil)
  }

  func close() {
    client.withLock { client in
      client?.close()
      client = nil
    }
  }

  /// - Returns: the JSON document, and the payloads after it as JSON texts.
  /// - Throws: `Problem`.
  func ask(_ verb: String, _ arguments: JSONValue = .object([:])) async throws -> (JSONValue, [[UInt8]]) {
    let client = try await connected()
    let answer: PipelineClient.Answer
    do {
      answer = try await client.request(verb, arguments: arguments.json)
    } catch let error as PipelineClientError {
      throw Problem(.serviceUnavailable, error.message)
    }
    guard answer.code == .ok else { throw Problem(code: answer.code, answer.message) }
    return (try JSONValue(parsing: answer.body), try answer.payloads.map { try CompressedJSON.json(in: $0) })
  }

  /// - Throws: `Problem` where nobody answers; what is refused is an answer.
  func enqueue(pipeline: String, _ job: PipelineClient.Job) async throws -> EnqueueAnswer {
    let client = try await connected()
    do {
      return try await client.enqueueJob(
        pipeline: pipeline, job.instructions, id: job.id, priority: job.priority,
        delayMilliseconds: job.delayMilliseconds
      ).payload
    } catch let error as PipelineClientError {
      throw Problem(.serviceUnavailable, error.message)
    }
  }

  /// A client that has been answered once connects again by itself.
  private func connected() async throws -> PipelineClient {
    if let client = client.withLock({ $0 }) { return client }
    let address = address
    return try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { [self] in
        let fresh = PipelineClient(address, hwm: 256, timeoutMilliseconds: Self.timeoutMilliseconds)
        do {
          try fresh.connect()
        } catch {
          return continuation.resume(throwing: Problem(.serviceUnavailable, "\(error)"))
        }
        let kept = client.withLock { present in
          if present == nil { present = fresh }
          return present ?? fresh
        }
        continuation.resume(returning: kept)
      }
    }
  }
}
