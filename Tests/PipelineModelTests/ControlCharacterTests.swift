import PipelineModel
import Testing

@Suite struct ControlCharacterTests {
  @Test(arguments: [
    ("plain {\"a\": 1} text", "plain {\"a\": 1} text"), ("Grüße, 世界 🙂", "Grüße, 世界 🙂"), ("", ""),
    ("a\nb\r\tc", #"a\nb\r\tc"#), ("\u{1b}[2J", #"\u{1b}[2J"#), ("x\u{7f}y\u{0}", #"x\u{7f}y\u{0}"#),
    ("\u{9b}31m", #"\u{9b}31m"#), ("\u{85}next", #"\u{85}next"#), ("a\u{2028}b\u{2029}", #"a\u{2028}b\u{2029}"#),
    ("exe\u{202e}txt.so", #"exe\u{202e}txt.so"#), ("\u{2066}\u{200f}\u{61c}", #"\u{2066}\u{200f}\u{61c}"#),
  ])
  func whatSteersATerminalIsSpelledOut(text: String, shown: String) {
    #expect(text.escapingControlCharacters == shown)
    #expect(text[...].escapingControlCharacters == shown)
  }

  @Test func nothingThatSteersIsLeft() {
    let all = String(String.UnicodeScalarView((0...0xffff).compactMap(Unicode.Scalar.init)))
    #expect(!all.escapingControlCharacters.unicodeScalars.contains { $0.steersATerminal })
  }
}
