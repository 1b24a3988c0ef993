/// JSON as YAML 1.2, in blocks: members in their order, numbers as they were spelt.
struct YAMLText {
  private let json: [UInt8]
  private var at = 0

  /// - Parameter json: valid JSON in which nothing steers a terminal.
  static func of(_ json: String) -> String {
    var text = YAMLText(json: Array(json.utf8))
    switch text.value() {
    case .scalar(let scalar): return scalar
    case .block(let lines): return lines.joined(separator: "\n")
    }
  }

  private enum Value {
    case scalar(String)
    case block([String])
  }

  private init(json: [UInt8]) { self.json = json }

  // MARK: Reading

  private var byte: UInt8 { at < json.count ? json[at] : 0 }

  private mutating func skipBlanks() {
    while byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at += 1 }
  }

  private mutating func value() -> Value {
    skipBlanks()
    defer { skipBlanks() }
    switch byte {
    case UInt8(ascii: "{"): return block(until: UInt8(ascii: "}"), empty: "{}") { text in text.member() }
    case UInt8(ascii: "["): return block(until: UInt8(ascii: "]"), empty: "[]") { text in text.item() }
    case UInt8(ascii: "\""): return .scalar(Self.scalar(quotedString()))
    default: return .scalar(word())
    }
  }

  private mutating func block(
    until end: UInt8, empty: String, _ part: (inout YAMLText) -> [String]
  ) -> Value {
    at += 1
    skipBlanks()
    var lines: [String] = []
    while byte != end, at < json.count {
      lines += part(&self)
      if byte == UInt8(ascii: ",") { at += 1 }
      skipBlanks()
    }
    at += 1
    return lines.isEmpty ? .scalar(empty) : .block(lines)
  }

  private mutating func member() -> [String] {
    skipBlanks()
    let name = Self.scalar(quotedString())
    skipBlanks()
    at += 1
    switch value() {
    case .scalar(let scalar): return ["\(name): \(scalar)"]
    case .block(let lines): return ["\(name):"] + lines.map { "  " + $0 }
    }
  }

  private mutating func item() -> [String] {
    switch value() {
    case .scalar(let scalar): return ["- \(scalar)"]
    case .block(let lines): return lines.enumerated().map { ($0 == 0 ? "- " : "  ") + $1 }
    }
  }

  /// A number, `true`, `false` or `null`.
  private mutating func word() -> String {
    let start = at
    while at < json.count, !",]} \n\r\t".utf8.contains(byte) { at += 1 }
    // No value is empty, but whatever this is must end.
    if at == start { at += 1 }
    return String(decoding: json[start..<min(at, json.count)], as: UTF8.self)
  }

  /// With its quotes and escapes.
  private mutating func quotedString() -> String {
    let start = at
    at += 1
    while at < json.count, byte != UInt8(ascii: "\"") { at += byte == UInt8(ascii: "\\") ? 2 : 1 }
    at = min(at + 1, json.count)
    return String(decoding: json[start..<at], as: UTF8.self)
  }

  // MARK: Writing

  /// Words that YAML, of whatever version, takes for something else than text.
  private static let special: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]

  /// Without quotes where nothing can be meant but the text.
  private static func scalar(_ quoted: String) -> String {
    let text = quoted.dropFirst().dropLast()
    let isPlain = text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        || "-_./".utf8.contains(byte)
    }
    let beginsWithLetter = text.utf8.first.map { (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) } ?? false
    if isPlain, beginsWithLetter, !special.contains(text.lowercased()) { return String(text) }
    return joiningSurrogates(quoted)
  }

  /// JSON's escapes are YAML's but for characters beyond U+FFFF, of which JSON writes two halves.
  private static func joiningSurrogates(_ quoted: String) -> String {
    guard quoted.contains("\\u") else { return quoted }
    var out = ""
    var rest = quoted[...]
    while let character = rest.first {
      guard character == "\\" else {
        out.append(character)
        rest.removeFirst()
        continue
      }
      let escape = rest.prefix(rest.dropFirst().first == "u" ? 6 : 2)
      rest = rest.dropFirst(escape.count)
      guard let high = half(escape, in: 0xd800...0xdbff) else {
        // A half by itself is no character.
        out += half(escape, in: 0xdc00...0xdfff) == nil ? String(escape) : "\\uFFFD"
        continue
      }
      guard let low = half(rest.prefix(6), in: 0xdc00...0xdfff) else {
        out += "\\uFFFD"
        continue
      }
      rest = rest.dropFirst(6)
      let digits = String(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00), radix: 16)
      out += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }
    return out
  }

  private static func half(_ escape: Substring, in range: ClosedRange<Int>) -> Int? {
    guard escape.hasPrefix("\\u"), let code = Int(escape.dropFirst(2), radix: 16), range.contains(code) else {
      return nil
    }
    return code
  }
}
