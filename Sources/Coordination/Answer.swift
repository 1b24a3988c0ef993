internal import FoundationEssentials
internal import WireProtocol
internal import ZeroMQTransport

/// Where the answer to one request goes.
struct Answer {
  unowned let coordinator: Coordinator
  let route: [UInt8]
  let request: UInt64

  func send(_ code: ReplyCode, _ message: String = "") {
    send(code, message, document: [String: String]())
  }

  func send(_ code: ReplyCode, _ message: String = "", document: some Encodable, payloads: [[UInt8]] = []) {
    send(code, message, payloads: [Self.payload(of: document)] + payloads)
  }

  /// - Parameter payloads: the document first.
  func send(_ code: ReplyCode, _ message: String = "", payloads: [[UInt8]]) {
    let header = Reply(request: request, code: code, message: message).encoded()
    guard !coordinator.connections.answer([header] + payloads, to: route), payloads.count > 0, code == .ok else {
      return
    }
    send(.busy, "too much of what was answered is unread; read it, then ask again")
  }

  /// A document as a payload frame. Any thread.
  static func payload(of document: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = (try? encoder.encode(document)).map { [UInt8]($0) } ?? Array("{}".utf8)
    return CompressedJSON.payload(for: json)
  }
}
