/// Values that must not show where people look: passwords and tokens that a phase was given. Whatever a child says is passed
/// through `redacting`, its results excepted.
///
/// A value of fewer than `shortestValue` bytes is not looked for: it would blacken half of every line. Of a value of several
/// lines each line counts as well, from `shortestLine` bytes on, because lines are what logs show; and what JSON makes of a
/// value counts like the value itself.
public struct SecretValues: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
  public static let shortestValue = 4
  public static let shortestLine = 8
  static let mark = Array("***".utf8)

  /// By their first four bytes, the longest first.
  private let byStart: [UInt32: [[UInt8]]]
  /// Of the longest value, in bytes.
  private let longest: Int

  /// - Parameter values: in any order; short ones are passed over.
  public init(_ values: some Sequence<String> = []) {
    var forms: Set<[UInt8]> = []
    for value in values {
      for form in Self.forms(of: value) where form.utf8.count >= Self.shortestValue { forms.insert(Array(form.utf8)) }
    }
    byStart = Dictionary(grouping: forms) { Self.start(of: $0[...]) }.mapValues { $0.sorted { $0.count > $1.count } }
    longest = forms.reduce(0) { max($0, $1.count) }
  }

  public var isEmpty: Bool { byStart.isEmpty }
  /// Never the values.
  public var description: String { isEmpty ? "no secrets" : "***" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }

  private static func forms(of value: String) -> [String] {
    let lines = value.split(whereSeparator: \.isNewline).map(String.init)
    let long = lines.count > 1 ? lines.filter { $0.utf8.count >= shortestLine } : lines
    return ([value] + long).flatMap { [$0, escaped($0, slashes: false), escaped($0, slashes: true)] }
  }

  /// As a writer of JSON would put it between quotes.
  private static func escaped(_ text: String, slashes: Bool) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "/" where slashes: out += "\\/"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  private static func start(of bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.prefix(shortestValue).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The text with `***` for each value, and for the beginning of one that the text breaks off in.
  /// - Parameter mayBeginInside: the text was cut off at its front, so that it may begin in the middle of a value: what
  ///   could belong to one goes as well.
  public func redacting(_ text: String, mayBeginInside: Bool = false) -> String {
    guard !isEmpty, !text.isEmpty else { return text }
    let bytes = Array(text.utf8)
    guard let redacted = redacting(bytes, mayBeginInside: mayBeginInside) else { return text }
    return String(decoding: redacted, as: UTF8.self)
  }

  /// Nil where there is nothing to hide.
  private func redacting(_ bytes: [UInt8], mayBeginInside: Bool) -> [UInt8]? {
    var out: [UInt8] = []
    var copied = 0
    var position = 0
    if mayBeginInside {
      // Not found out what it was: all that may be the rest of the longest value.
      position = min(bytes.count, longest - 1)
      while position < bytes.count, bytes[position] & 0xc0 == 0x80 { position += 1 }
      out += Self.mark
      copied = position
    }
    while position + Self.shortestValue <= bytes.count {
      guard let length = match(in: bytes, at: position) else {
        position += 1
        continue
      }
      out += bytes[copied..<position] + Self.mark
      position += length
      copied = position
    }
    guard copied > 0 else { return nil }
    return out + bytes[copied...]
  }

  /// The number of bytes of the value at this place.
  private func match(in bytes: [UInt8], at position: Int) -> Int? {
    let start = Self.start(of: bytes[position..<position + Self.shortestValue])
    guard let values = byStart[start] else { return nil }
    let rest = bytes[position...]
    for value in values {
      let common = min(value.count, rest.count)
      if rest.prefix(common).elementsEqual(value.prefix(common)) { return common }
    }
    return nil
  }
}
