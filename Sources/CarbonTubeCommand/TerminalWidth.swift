/// Columns that text takes on a terminal, without control characters.
///
/// wcwidth(3) knows no character beyond ASCII in the C locale, which is what a program without setlocale(3) has.
enum TerminalWidth {
  static func of(_ text: some StringProtocol) -> Int {
    // Nearly all there is.
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + width($1) }
  }

  /// At most `columns` of `text`, with `…` where something is missing.
  /// - Parameter keepsEnd: the beginning goes, as of a path, whose last part tells most.
  static func cut(_ text: String, to columns: Int, keepsEnd: Bool = false) -> String {
    guard of(text) > columns else { return text }
    guard columns > 0 else { return "" }
    var rest = columns - 1
    let fits = { (character: Character) in
      rest -= width(character)
      return rest >= 0
    }
    return keepsEnd ? "…" + String(text.reversed().prefix(while: fits).reversed()) : text.prefix(while: fits) + "…"
  }

  private static func width(_ character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    let isEmoji = first.properties.isEmojiPresentation || character.unicodeScalars.contains { $0.value == 0xfe0f }
    if isEmoji || isWide(first.value) { return 2 }
    switch first.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return 1
    }
  }

  /// Wide and fullwidth blocks of Unicode Standard Annex 11.
  private static func isWide(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
      0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18aff, 0x1b000...0x1b2ff, 0x1f200...0x1f2ff,
      0x20000...0x3fffd:
      true
    default: false
    }
  }
}
