/// Reads JSON so that no number is changed: Foundation's decoder has no way to keep one that it cannot hold.
struct JSONParser {
  /// What is nested deeper is refused: each level takes stack.
  static let deepest = 1_024

  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  /// - Throws: a sentence with the place.
  static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value()
    parser.skipSpace()
    guard parser.position == bytes.count else { throw parser.wrong("something follows the value") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func wrong(_ what: String) -> JSONError { JSONError(message: "\(what) at byte \(position)") }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ byte: Character) -> Bool {
    guard next == byte.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try nested { parser throws(JSONError) in .object(try parser.object()) }
    case UInt8(ascii: "["): return try nested { parser throws(JSONError) in .array(try parser.array()) }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONError) -> JSONValue
  ) throws(JSONError) -> JSONValue {
    guard depth < Self.deepest else { throw wrong("nested deeper than \(Self.deepest)") }
    depth += 1
    position += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    guard bytes[position...].starts(with: word.utf8) else { throw wrong("no JSON value") }
    position += word.utf8.count
    return value
  }

  private mutating func object() throws(JSONError) -> [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    skipSpace()
    if take("}") { return members }
    repeat {
      skipSpace()
      let name = try string()
      skipSpace()
      guard take(":") else { throw wrong("no ':' after a name") }
      members[name] = try value()
      skipSpace()
    } while take(",")
    guard take("}") else { throw wrong("no ',' or '}'") }
    return members
  }

  private mutating func array() throws(JSONError) -> [JSONValue] {
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return elements }
    repeat {
      elements.append(try value())
      skipSpace()
    } while take(",")
    guard take("]") else { throw wrong("no ',' or ']'") }
    return elements
  }
}

// MARK: - Numbers and strings

extension JSONParser {
  private mutating func skipDigits() -> Int {
    let start = position
    while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
    return position - start
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    _ = take("-")
    let leading = next
    let whole = skipDigits()
    guard whole > 0, whole == 1 || leading != UInt8(ascii: "0") else { throw wrong("no JSON value") }
    var significant = whole
    var isInteger = true
    if take(".") {
      let fraction = skipDigits()
      guard fraction > 0 else { throw wrong("no digit after '.'") }
      significant += fraction
      isInteger = false
    }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      guard skipDigits() > 0 else { throw wrong("no digit in an exponent") }
      isInteger = false
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger { return text == "-0" ? .number(-0.0) : Int64(text).map(JSONValue.integer) ?? .literal(text) }
    // Any decimal of 15 digits survives the way through a Double.
    guard significant <= 15, let value = Double(text), value.isFinite, value != 0 || isZero(text) else {
      return Double(text).flatMap { "\($0)" == text ? .number($0) : nil } ?? .literal(text)
    }
    return .number(value)
  }

  private func isZero(_ text: String) -> Bool {
    text.prefix { $0 != "e" && $0 != "E" }.allSatisfy { $0 == "-" || $0 == "." || $0 == "0" }
  }

  private mutating func string() throws(JSONError) -> String {
    guard take("\"") else { throw wrong("no '\"'") }
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: text, as: UTF8.self) else { throw wrong("a string is not UTF-8") }
        return text
      case UInt8(ascii: "\\"): text += String(try escaped()).utf8
      case 0..<0x20: throw wrong("a control character in a string")
      default: text.append(byte)
      }
    }
    throw wrong("a string without end")
  }

  private mutating func escaped() throws(JSONError) -> Unicode.Scalar {
    guard let byte = next else { throw wrong("a string without end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicode()
    default: throw wrong("an unknown escape")
    }
  }

  /// A half of a surrogate pair that stands alone is no character, and becomes U+FFFD.
  private mutating func unicode() throws(JSONError) -> Unicode.Scalar {
    let first = try hexadecimal()
    guard (0xd800..<0xdc00).contains(first), bytes[position...].starts(with: "\\u".utf8) else {
      return Unicode.Scalar(first) ?? "\u{fffd}"
    }
    let before = position
    position += 2
    let second = try hexadecimal()
    guard (0xdc00..<0xe000).contains(second) else {
      position = before
      return "\u{fffd}"
    }
    return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)) ?? "\u{fffd}"
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw wrong("an escape without four digits") }
    position += 4
    return value
  }
}

/// JSON that cannot be read or written, in words.
struct JSONError: Error, CustomStringConvertible {
  let message: String
  var description: String { message }
}
