extension StringProtocol {
  /// The text with everything shown that would steer a terminal, break a line, or turn the direction of writing: a line
  /// break as `\n`, an escape as `\u{1b}`. For text from outside that is shown to people, in a table, a line or a log.
  public var escapingControlCharacters: String {
    guard !utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else { return String(self) }
    var shown = ""
    shown.reserveCapacity(utf8.count)
    for scalar in unicodeScalars {
      if scalar.steersATerminal { shown += scalar.spelledOut } else { shown.unicodeScalars.append(scalar) }
    }
    return shown
  }
}

extension Unicode.Scalar {
  /// C0 and C1 controls and DEL (ISO/IEC 6429), line and paragraph separators, and the controls of the bidirectional
  /// algorithm (Unicode Standard Annex 9), which make a line read other than it is.
  public var steersATerminal: Bool {
    switch value {
    case 0..<0x20, 0x7f...0x9f, 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }

  fileprivate var spelledOut: String {
    switch self {
    case "\n": #"\n"#
    case "\r": #"\r"#
    case "\t": #"\t"#
    default: #"\u{\#(String(value, radix: 16))}"#
    }
  }
}
