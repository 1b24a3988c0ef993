internal import ControlProtocol
internal import WireProtocol

/// How a coordinator carries out each verb.
struct VerbTable: Sendable {
  /// One request whose arguments are to be read yet.
  struct Call {
    let coordinator: Coordinator
    let answer: Answer
    let now: Moment
    /// As on the wire.
    let arguments: [UInt8]
    /// Of a job, where the request brought some; as on the wire.
    let instructions: [UInt8]?
  }

  enum Need {
    /// The store must be open; else the request is refused with the reason.
    case store
    case nothing
  }

  typealias Body<V: Verb> =
    @Sendable (Coordinator, V.Arguments, AnswerTo<V>, Call) throws(Refusal) -> Void

  private var entries: [String: any VerbEntry] = [:]

  /// On the wire.
  var names: Set<String> { Set(entries.keys) }

  init(_ fill: (inout VerbTable) -> Void) { fill(&self) }

  mutating func on<V: Verb>(_ verb: V.Type, needs: Need = .store, _ body: @escaping Body<V>) {
    entries[verb.name] = EntryOf<V>(needs: needs, body: body)
  }

  func carryOut(_ verb: String, _ call: Call) throws(Refusal) {
    guard let entry = entries[verb] else {
      throw Refusal(code: .invalid, message: "unknown verb '\(verb.prefix(64))'")
    }
    try entry.carryOut(call)
  }
}

private protocol VerbEntry: Sendable {
  func carryOut(_ call: VerbTable.Call) throws(Refusal)
}

private struct EntryOf<V: Verb>: VerbEntry {
  let needs: VerbTable.Need
  let body: VerbTable.Body<V>

  func carryOut(_ call: VerbTable.Call) throws(Refusal) {
    let arguments = try ReceivedArguments.decoding(call.arguments, of: V.self)
    guard call.instructions == nil || V.takesInstructions else {
      throw Refusal(code: .invalid, message: "'\(V.name)' takes no instructions; 'requeue' does")
    }
    if needs == .store { try call.coordinator.requireOpen() }
    try body(call.coordinator, arguments, AnswerTo(plain: call.answer), call)
  }
}
