/// Reads JSON that is known to be JSON, in one pass and without the costs of a decoder: a coordinator does it for each job.
/// Numbers of any size are read, as far as a `Double` goes; of a name that stands twice the last counts.
struct InstructionsParsing {
  enum Outcome {
    case value(SettingsValue)
    case tooMuch
    case tooDeep
  }

  private enum Stop: Error {
    case tooMuch
    case tooDeep
  }

  private let text: [UInt8]
  private var place = 0
  private var valuesLeft: Int

  init(_ text: [UInt8], mostValues: Int) {
    self.text = text
    valuesLeft = mostValues
  }

  mutating func object() -> Outcome {
    if text.starts(with: [0xef, 0xbb, 0xbf]) { place = 3 }
    do throws(Stop) {
      return .value(try value(depth: 0))
    } catch {
      switch error {
      case .tooMuch: return .tooMuch
      case .tooDeep: return .tooDeep
      }
    }
  }

  private var byte: UInt8 { place < text.count ? text[place] : 0 }

  private mutating func skipBlanks() {
    while place < text.count, [0x20, 0x09, 0x0a, 0x0d].contains(text[place]) { place += 1 }
  }

  private mutating func value(depth: Int) throws(Stop) -> SettingsValue {
    guard valuesLeft > 0 else { throw .tooMuch }
    valuesLeft -= 1
    skipBlanks()
    switch byte {
    case UInt8(ascii: "{"): return try members(depth: depth + 1)
    case UInt8(ascii: "["): return try elements(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(string())
    case UInt8(ascii: "t"): return word(.bool(true), length: 4)
    case UInt8(ascii: "f"): return word(.bool(false), length: 5)
    case UInt8(ascii: "n"): return word(.null, length: 4)
    default: return number()
    }
  }

  private mutating func word(_ value: SettingsValue, length: Int) -> SettingsValue {
    place += length
    return value
  }

  private mutating func members(depth: Int) throws(Stop) -> SettingsValue {
    guard depth <= SettingsValue.maximumDepth else { throw .tooDeep }
    var members: [String: SettingsValue] = [:]
    while opensAnother(closing: UInt8(ascii: "}")) {
      let name = string()
      skipBlanks()
      place += 1
      members[name] = try value(depth: depth)
    }
    return .object(members)
  }

  private mutating func elements(depth: Int) throws(Stop) -> SettingsValue {
    guard depth <= SettingsValue.maximumDepth else { throw .tooDeep }
    var values: [SettingsValue] = []
    while opensAnother(closing: UInt8(ascii: "]")) { values.append(try value(depth: depth)) }
    return .array(values)
  }

  /// Behind the opening bracket or an element, to the next element or behind the closing bracket.
  private mutating func opensAnother(closing: UInt8) -> Bool {
    skipBlanks()
    if [UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ",")].contains(byte) { place += 1 }
    skipBlanks()
    guard place < text.count, byte != closing else {
      place += 1
      return false
    }
    return true
  }

  private mutating func number() -> SettingsValue {
    let start = place
    var isWhole = true
    scan: while place < text.count {
      switch text[place] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"): break
      case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): isWhole = false
      default: break scan
      }
      place += 1
    }
    // What is no number at all must not stand still.
    if place == start { place = text.count }
    let digits = String(decoding: text[start..<place], as: UTF8.self)
    if isWhole, let integer = Int64(digits) { return .integer(integer) }
    return .number(Double(digits) ?? 0)
  }

  // MARK: - Texts

  private mutating func string() -> String {
    place += 1
    let start = place
    while place < text.count, text[place] != UInt8(ascii: "\""), text[place] != UInt8(ascii: "\\") { place += 1 }
    if byte != UInt8(ascii: "\\") {
      defer { place += 1 }
      return String(decoding: text[start..<min(place, text.count)], as: UTF8.self)
    }
    var bytes = Array(text[start..<place])
    while place < text.count, text[place] != UInt8(ascii: "\"") {
      if text[place] == UInt8(ascii: "\\") {
        place += 1
        appendEscape(to: &bytes)
      } else {
        bytes.append(text[place])
        place += 1
      }
    }
    place += 1
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func appendEscape(to bytes: inout [UInt8]) {
    let letter = byte
    place += 1
    switch letter {
    case UInt8(ascii: "n"): bytes.append(0x0a)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "r"): bytes.append(0x0d)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0c)
    case UInt8(ascii: "u"): bytes += Array(String(Character(scalar())).utf8)
    default: bytes.append(letter)
    }
  }

  /// Behind `\u`; half of a pair that has no other half becomes U+FFFD.
  private mutating func scalar() -> Unicode.Scalar {
    let first = unit()
    guard (0xd800..<0xdc00).contains(first), byte == UInt8(ascii: "\\"), place + 1 < text.count,
      text[place + 1] == UInt8(ascii: "u")
    else { return Unicode.Scalar(first) ?? "\u{fffd}" }
    let before = place
    place += 2
    let second = unit()
    guard (0xdc00..<0xe000).contains(second) else {
      place = before
      return "\u{fffd}"
    }
    return Unicode.Scalar(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)) ?? "\u{fffd}"
  }

  private mutating func unit() -> UInt32 {
    let digits = text[min(place, text.count)..<min(place + 4, text.count)]
    place += digits.count
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0xfffd
  }
}
