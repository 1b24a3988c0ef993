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
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = (try? encoder.encode(document)).map { [UInt8]($0) } ?? Array("{}".utf8)
    let header = Reply(request: request, code: code, message: message).encoded()
    _ = coordinator.intake.send([route, header, CompressedJSON.payload(for: json)] + payloads)
  }
}
