/// Writes JSON so that no number is changed, members in the order of their names.
struct JSONWriter {
  private var bytes: [UInt8] = []

  /// - Throws: for numbers that JSON has no form for.
  static func write(_ members: [String: JSONValue]) throws(JSONError) -> [UInt8] {
    var writer = JSONWriter()
    try writer.object(members)
    return writer.bytes
  }

  private mutating func value(_ value: JSONValue) throws(JSONError) {
    switch value {
    case .null: text("null")
    case .bool(let value): text(value ? "true" : "false")
    case .integer(let value): text("\(value)")
    case .number(let value): try number(value)
    case .literal(let value): try literal(value)
    case .string(let value): string(value)
    case .array(let elements):
      text("[")
      for (index, element) in elements.enumerated() {
        if index > 0 { text(",") }
        try self.value(element)
      }
      text("]")
    case .object(let members): try object(members)
    }
  }

  private mutating func object(_ members: [String: JSONValue]) throws(JSONError) {
    text("{")
    for (index, (name, member)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
      if index > 0 { text(",") }
      string(name)
      text(":")
      try value(member)
    }
    text("}")
  }

  private mutating func number(_ value: Double) throws(JSONError) {
    guard value.isFinite else { throw JSONError(message: "\(value) is no JSON number") }
    if let whole = Int64(exactly: value), abs(value) < 1e15, value != 0 || value.sign == .plus {
      text("\(whole)")
    } else {
      text("\(value)")
    }
  }

  private mutating func literal(_ number: String) throws(JSONError) {
    switch try? JSONParser.parse(Array(number.utf8)) {
    case .integer, .number, .literal: text(number)
    default: throw JSONError(message: "'\(number)' is no JSON number")
    }
  }

  private mutating func text(_ text: String) { bytes += text.utf8 }

  private mutating func string(_ value: String) {
    text("\"")
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\""): text("\\\"")
      case UInt8(ascii: "\\"): text("\\\\")
      case UInt8(ascii: "\n"): text("\\n")
      case UInt8(ascii: "\r"): text("\\r")
      case UInt8(ascii: "\t"): text("\\t")
      case 0..<0x20: text("\\u00\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))")
      default: bytes.append(byte)
      }
    }
    text("\"")
  }
}
