internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import WireProtocol

/// An answer that says what went wrong, by RFC 9457.
struct Problem: Error {
  let status: HTTPResponse.Status
  let detail: String
  /// A coordinator's, where it was one that refused.
  private(set) var code: ReplyCode?
  /// For an address that takes other methods.
  private(set) var allowed: [HTTPRequest.Method] = []

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
      case .ok, .duplicate: .badGateway
      case .busy, .unavailable, .stopping: .serviceUnavailable
      case .invalid: .badRequest
      case .unfit: .unprocessableContent
      case .notFound: .notFound
      }
    self.init(status, message)
    self.code = code
  }

  init(allowed: [HTTPRequest.Method], not method: HTTPRequest.Method, at path: String) {
    let known = allowed.map(\.rawValue).joined(separator: ", ")
    self.init(
      .methodNotAllowed, "\(path.shownInAnswers) takes \(known), not \(method.rawValue.shownInAnswers)")
    self.allowed = allowed
  }

  var response: Response {
    let document: JSONDocument = .object([
      "status": .integer(Int64(status.code)), "title": .string(status.reasonPhrase), "detail": .string(detail),
    ])
    var response = Response(json: document, status: status)
    response.headers[.contentType] = "application/problem+json"
    if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
    if status == .serviceUnavailable { response.headers[.retryAfter] = "1" }
    if !allowed.isEmpty { response.headers[.allow] = Self.list(allowed) }
    return response
  }

  static func list(_ methods: [HTTPRequest.Method]) -> String {
    (methods + [.options]).map(\.rawValue).joined(separator: ", ")
  }
}

extension Response {
  init(json: JSONDocument, status: HTTPResponse.Status = .ok) { self.init(json: json.json, status: status) }

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
