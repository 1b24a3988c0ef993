import Testing

@testable import HostSupervision

@Suite struct SecretValuesTests {
  @Test func `Each value is replaced wherever it stands`() {
    let secrets = SecretValues(["hunter2", "tokentoken"])
    #expect(secrets.redacting("hunter2 and tokentoken, hunter2!") == "*** and ***, ***!")
    #expect(secrets.redacting("hunter") == "***")
    #expect(secrets.redacting("hunt the hunters") == "hunt the hunters")
    #expect(secrets.redacting("ünhunter2ü") == "ün***ü")
    #expect(secrets.redacting("") == "")
  }

  @Test func `Of values within values the longest counts`() {
    let secrets = SecretValues(["abcd", "abcdefgh", "cdefghij"])
    #expect(secrets.redacting("xabcdefghx") == "x***x")
    #expect(secrets.redacting("xabcdx cdefghij") == "x***x ***")
  }

  @Test func `What is too short to be told from words stays`() {
    #expect(SecretValues(["C", "abc", ""]).isEmpty)
    #expect(SecretValues(["abc"]).redacting("abc") == "abc")
  }

  @Test func `Lines of a value count, and what JSON makes of it`() {
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nab\n-----END KEY-----\n"
    let secrets = SecretValues([key, "a\"b/c\\d"])
    #expect(secrets.redacting("key: MIIEvQIBADANBg.") == "key: ***.")
    #expect(secrets.redacting("x\(key)y") == "x***y")
    #expect(secrets.redacting(#"{"p":"a\"b/c\\d"}"#) == #"{"p":"***"}"#)
    #expect(secrets.redacting(#"{"p":"a\"b\/c\\d"}"#) == #"{"p":"***"}"#)
    #expect(secrets.redacting("ab") == "ab")
  }

  @Test func `A text that was cut shows no part of a value`() {
    let secrets = SecretValues(["correct horse battery"])
    #expect(secrets.redacting("it was correct hor") == "it was ***")
    let cut = secrets.redacting("rse battery and more of the line", mayBeginInside: true)
    #expect(cut == "*** of the line")
    #expect(secrets.redacting("rse", mayBeginInside: true) == "***")
  }

  @Test func `It never describes itself by its values`() {
    let secrets = SecretValues(["hunter2"])
    var dumped = ""
    dump(secrets, to: &dumped)
    for text in ["\(secrets)", String(reflecting: secrets), dumped, "\([secrets])"] {
      #expect(!text.contains("hunter2") && !text.contains("104"))
    }
  }

  @Test func `Many and large values cost no more than the text is long`() {
    let many = (0..<10_000).map { "secret-number-\($0)-\(String(repeating: "x", count: 50))" }
    let secrets = SecretValues(many + [String(repeating: "y", count: 1 << 20)])
    let text = String(repeating: "nothing to see here ", count: 3_000) + many[77]
    #expect(secrets.redacting(text).hasSuffix("here ***"))
  }

  /// Texts around values at random places: no value may be left, and nothing else may change.
  @Test func `Whatever stands around it`() {
    var random = SystemRandomNumberGenerator()
    let alphabet = Array("ab\"\\/é\n")
    for _ in 0..<2_000 {
      let values = (0..<3).map { _ in
        String((0..<Int.random(in: 4...9, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
      }
      let secrets = SecretValues(values)
      let text = (0..<8).map { _ in Bool.random(using: &random) ? values.randomElement(using: &random)! : "-" }.joined()
      let shown = secrets.redacting(text)
      for value in values { #expect(!shown.contains(value) || value.allSatisfy { $0 == "*" }) }
    }
  }
}

extension OutputTail {
  fileprivate init(_ text: String) {
    self.init()
    append(Array(text.utf8))
  }
}

@Suite struct CutTailTests {
  @Test func `A tail tells whether it begins inside a line`() {
    #expect(!OutputTail("short").beginsInsideALine)
    #expect(!OutputTail(String(repeating: "line\n", count: 10_000)).beginsInsideALine)
    #expect(OutputTail(String(repeating: "x", count: 50_000)).beginsInsideALine)
    #expect(!OutputTail(String(repeating: "x", count: OutputTail.capacity)).beginsInsideALine)
  }
}
