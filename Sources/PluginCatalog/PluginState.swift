/// Whether a plugin file can be used.
public enum PluginState: Hashable, Sendable {
  case ok
  /// Cannot be a plugin, or is none; the reason is a clause.
  case invalid(reason: String)
  /// Built against something else than this program.
  case incompatible(have: String, want: String, reason: String)
  /// Its process ended while it was looked at.
  case crashed(cause: String, standardErrorTail: String)
  /// It did not describe itself in time.
  case timeout(seconds: Int)
  /// It crashed on too many jobs; `since` in milliseconds since 1970.
  case quarantined(since: Int64, reason: String)

  /// A clause on what is wrong; nil for `.ok`.
  public var problem: String? {
    switch self {
    case .ok: return nil
    case .invalid(let reason), .incompatible(_, _, let reason): return reason
    case .crashed(let cause, let tail):
      let line = tail.split(separator: "\n").first.map { " (\($0))" } ?? ""
      return "crashes when it is loaded: \(cause)\(line); look at its constructors and its entry"
    case .timeout(let seconds):
      return "did not describe itself within \(seconds) s; its constructors and its entry must not wait for anything"
    case .quarantined(_, let reason):
      return "is quarantined: \(reason); replace it, or let it run again with carbontube plugins release"
    }
  }

  public var isQuarantined: Bool {
    if case .quarantined = self { true } else { false }
  }

  /// One word, as shown and as in JSON.
  public var word: String {
    switch self {
    case .ok: "ok"
    case .invalid: "invalid"
    case .incompatible: "incompatible"
    case .crashed: "crashed"
    case .timeout: "timeout"
    case .quarantined: "quarantined"
    }
  }
}

extension PluginState: Codable {
  private enum Key: String, CodingKey {
    case word, reason, have, want, cause, seconds, since
    case standardErrorTail = "stderr"
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    func text(_ key: Key) throws -> String { try values.decode(String.self, forKey: key) }
    switch try text(.word) {
    case "ok": self = .ok
    case "invalid": self = .invalid(reason: try text(.reason))
    case "incompatible":
      self = .incompatible(have: try text(.have), want: try text(.want), reason: try text(.reason))
    case "crashed": self = .crashed(cause: try text(.cause), standardErrorTail: try text(.standardErrorTail))
    case "timeout": self = .timeout(seconds: try values.decode(Int.self, forKey: .seconds))
    case "quarantined":
      self = .quarantined(since: try values.decode(Int64.self, forKey: .since), reason: try text(.reason))
    case let word:
      throw DecodingError.dataCorruptedError(forKey: .word, in: values, debugDescription: "unknown state '\(word)'")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(word, forKey: .word)
    switch self {
    case .ok: break
    case .invalid(let reason): try values.encode(reason, forKey: .reason)
    case .incompatible(let have, let want, let reason):
      try values.encode(have, forKey: .have)
      try values.encode(want, forKey: .want)
      try values.encode(reason, forKey: .reason)
    case .crashed(let cause, let tail):
      try values.encode(cause, forKey: .cause)
      try values.encode(tail, forKey: .standardErrorTail)
    case .timeout(let seconds): try values.encode(seconds, forKey: .seconds)
    case .quarantined(let since, let reason):
      try values.encode(since, forKey: .since)
      try values.encode(reason, forKey: .reason)
    }
  }
}
