internal import Hummingbird
internal import NIOCore
internal import Synchronization

/// Reads requests' bodies, each within its own bound and all together within one.
final class BodyBudget: Sendable {
  private let bytesLeft: Mutex<Int>

  /// - Parameter bytes: of all bodies that are held at a time.
  init(bytes: Int) { bytesLeft = Mutex(bytes) }

  /// - Throws: `Problem` where the body is larger than `limit`, or where there are too many bodies at a time.
  func withBody<Value>(
    of request: Request, upTo limit: Int, _ use: ([UInt8]) async throws -> Value
  ) async throws -> Value {
    guard request.hasBody else { return try await use([]) }
    var bytes: [UInt8] = []
    var problem: Problem?
    defer { give(back: bytes.count) }
    // To its end, even where it is refused: see `discardBody`.
    for try await chunk in request.body where problem == nil {
      if bytes.count + chunk.readableBytes > max(limit, Self.emptyBodyBytes) {
        problem = Self.tooLarge(limit)
      } else if take(chunk.readableBytes) {
        bytes += chunk.readableBytesView
      } else {
        problem = Problem(.serviceUnavailable, "too many large bodies are being read; try again later")
      }
    }
    if let problem { throw problem }
    if limit == 0 { try Self.checkEmpty(bytes) }
    return try await use(bytes)
  }

  /// What programs send that cannot send nothing.
  private static let emptyBodyBytes = 64

  private static func checkEmpty(_ bytes: [UInt8]) throws(Problem) {
    let text = bytes.filter { !" \t\r\n".utf8.contains($0) }
    guard text.isEmpty || text == Array("{}".utf8) else { throw tooLarge(0) }
  }

  private static func tooLarge(_ limit: Int) -> Problem {
    limit > 0
      ? Problem(.contentTooLarge, "the body is larger than \(limit) bytes")
      : Problem(.badRequest, "no body is taken here, and what it says would be passed over; put it into the query")
  }

  private func take(_ count: Int) -> Bool {
    bytesLeft.withLock { left in
      guard left >= count else { return false }
      left -= count
      return true
    }
  }

  private func give(back count: Int) { bytesLeft.withLock { $0 += count } }
}

extension Request {
  var hasBody: Bool { headers.contains(.contentLength) || headers.contains(.transferEncoding) }

  /// For a request that is refused before its body was read: many clients do not look at an answer before they have sent
  /// all. How long that may take is the connection's bound.
  func discardBody() async {
    guard hasBody else { return }
    do { for try await _ in body {} } catch { return }
  }
}
