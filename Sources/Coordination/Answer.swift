internal import ControlProtocol
internal import WireProtocol
internal import ZeroMQTransport

/// Where the answer to one request goes.
struct Answer {
  unowned let coordinator: Coordinator
  let requester: Requester

  func send(_ code: ReplyCode, _ message: String = "") {
    send(code, message, document: [String: String]())
  }

  func send(_ code: ReplyCode, _ message: String = "", document: some Encodable, payloads: [[UInt8]] = []) {
    send(code, message, payloads: [Self.payload(of: document)] + payloads)
  }

  /// - Parameter payloads: the document first.
  func send(_ code: ReplyCode, _ message: String = "", payloads: [[UInt8]]) {
    let header = Reply(request: requester.request, code: code, message: message).encoded()
    guard !coordinator.connections.answer([header] + payloads, to: requester.route), payloads.count > 0, code == .ok
    else {
      return
    }
    send(.busy, "too much of what was answered is unread; read it, then ask again")
  }

  /// A document as a payload frame. Any thread.
  static func payload(of document: some Encodable) -> [UInt8] {
    CompressedJSON.payload(for: ControlJSON.text(of: document))
  }
}

/// Where the answer to one request with a verb goes: a document of that verb and no other.
struct AnswerTo<V: Verb> {
  let plain: Answer

  func send(_ document: V.Answer, payloads: [[UInt8]] = []) {
    plain.send(.ok, document: document, payloads: payloads)
  }

  /// - Parameter document: where there is more to say than the message does.
  func refuse(_ code: ReplyCode, _ message: String, _ document: V.Answer? = nil) {
    if let document { plain.send(code, message, document: document) } else { plain.send(code, message) }
  }
}
