internal import Hummingbird
internal import NIOCore
internal import WireProtocol

/// An answer that says what went wrong, by RFC 9457.
struct Problem: Error {
  let status: HTTPResponse.Status
  let detail: String

  init(_ status: HTTPResponse.Status, _ detail: String) {
    self.status = status
    self.detail = detail
  }

  /// - Parameters:
  ///   - code: a coordinator's answer that is no success.
  ///   - message: its words.
  init(code: ReplyCode, _ message: String) {
    let status: HTTPResponse.Status =
      switch code {
      case .ok, .duplicate: .internalServerError
      case .busy: .tooManyRequests
      case .unavailable, .stopping: .serviceUnavailable
      case .invalid: .badRequest
      case .notFound: .notFound
      }
    self.init(status, message)
  }

  var response: Response {
    let document: JSONValue = .object([
      "status": .integer(Int64(status.code)), "title": .string(status.reasonPhrase), "detail": .string(detail),
    ])
    var response = Response(json: document, status: status)
    response.headers[.contentType] = "application/problem+json"
    if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
    return response
  }
}

extension Response {
  init(json: JSONValue, status: HTTPResponse.Status = .ok) { self.init(json: json.json, status: status) }

  init(json: [UInt8], status: HTTPResponse.Status = .ok) {
    self.init(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
  }

  init(text: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8") {
    self.init(
      status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
