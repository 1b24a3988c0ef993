import Testing

@testable import WireProtocol

@Suite struct PayloadTests {
  private func json(_ count: Int) -> [UInt8] { Array(#"{"a":"\#(String(repeating: "x", count: count - 8))"}"#.utf8) }

  @Test func compressionBeginsAtOneKibibyte() throws {
    #expect(CompressedJSON.payload(for: json(1_023)) == json(1_023))
    let payload = CompressedJSON.payload(for: json(1_024))
    #expect(CompressedJSON.isCompressed(payload) && payload.count < 100)
    #expect(try CompressedJSON.json(in: payload) == json(1_024))
    #expect(try CompressedJSON.json(in: json(10)) == json(10))
  }

  @Test func decompressionIsCapped() throws {
    let bomb = CompressedJSON.compress(json(10_000_000))
    #expect(bomb.count < 100_000)
    #expect(throws: InstructionsError.self) { _ = try CompressedJSON.json(in: bomb, maximumBytes: 9_999_999) }
    #expect(try CompressedJSON.json(in: bomb, maximumBytes: 10_000_000).count == 10_000_000)
    #expect(throws: InstructionsError.self) { _ = try CompressedJSON.json(in: json(101), maximumBytes: 100) }
  }

  @Test func damagedStreamsAreRefused() {
    let whole = CompressedJSON.compress(json(5_000))
    var flipped = whole
    flipped[whole.count - 1] ^= 1
    for damaged in [Array(whole.dropLast()), Array(whole.prefix(2)), whole + [0], flipped] {
      #expect(throws: InstructionsError.self) { _ = try CompressedJSON.json(in: damaged) }
    }
  }

  @Test func mergingKeepsEverySpelling() throws {
    let merged = try InstructionsJSON.merging(
      Array(#"{"b":2.50,"c":[1,{"d":null}]}"#.utf8), into: Array(#"{"a":1e300,"b":1,"n":18446744073709551615}"#.utf8))
    let text = String(decoding: merged, as: UTF8.self)
    for part in [#""a":1e300"#, #""n":18446744073709551615"#, #""b":2.50"#, #""c":[1,{"d":null}]"#] {
      #expect(text.contains(part), "\(text)")
    }
    #expect(!text.contains(#""b":1,"#))
  }

  /// RFC 8259 sets numbers no limit, so neither do instructions.
  @Test(arguments: [
    "123456789012345678901234567890", "18446744073709551616", "-9223372036854775809", "1e309", "-1E-4000", "0.10",
    "-0", "1.0000000000000000000000000000000000001",
  ])
  func numbersOfAnySizeAreKeptAsTheyAreSpelled(number: String) throws {
    let text = Array(#"{"wei" : [ \#(number) ], "gas":\#(number)}"#.utf8)
    try InstructionsJSON.check(text)
    #expect(
      try InstructionsJSON.merging(text, into: Array("{}".utf8))
        == Array(#"{"wei" : [ \#(number) ],"gas":\#(number)}"#.utf8))
    #expect(try InstructionsJSON.merging(Array("{}".utf8), into: text) == text)
  }

  @Test(arguments: ["01", "+1", ".5", "5.", "1e", "1e+", "0x1", "-", "--1", "1-2", "NaN", "Infinity", "1 2", "1_0"])
  func whatIsNoNumberIsRefused(number: String) {
    #expect(throws: InstructionsError.self) { try InstructionsJSON.check(Array(#"{"a":\#(number)}"#.utf8)) }
    #expect(throws: InstructionsError.self) { try InstructionsJSON.check(Array(#"{"a":[0,\#(number)]}"#.utf8)) }
  }

  @Test func mergingLeavesEveryByteThatAResultDoesNotTouch() throws {
    func merged(_ result: String, into instructions: String) throws -> String {
      String(decoding: try InstructionsJSON.merging(Array(result.utf8), into: Array(instructions.utf8)), as: UTF8.self)
    }
    let base = "{ \"a\" : [ 1,  2.50 ] ,\n \"b\": {\t} , \"c\":\"\\u0041\"\n}\n"
    #expect(try merged("{}", into: base) == base)
    #expect(try merged("{ \"b\" :  1e309 }", into: base) == base.replacing("{\t}", with: "1e309"))
    #expect(
      try merged("{ \"d\" : [ 1 ] , \"a\":0, \"e\":2 }", into: base)
        == "{ \"a\" : 0 ,\n \"b\": {\t} , \"c\":\"\\u0041\",\"d\" : [ 1 ],\"e\":2\n}\n")
    #expect(try merged(#"{"a": 1}"#, into: "{ }") == #"{"a": 1 }"#)
    #expect(try merged(#"{"a":2}"#, into: #"{"\u0061":1}"#) == #"{"\u0061":2}"#)
  }

  /// The last of one name counts in a result; of the instructions' own the first takes its value and the others go.
  @Test func namesThatStandTwice() throws {
    let merged = try InstructionsJSON.merging(
      Array(#"{"a":8,"a":9}"#.utf8), into: Array(#"{"a":1, "b":2, "a":3, "b":4}"#.utf8))
    #expect(String(decoding: merged, as: UTF8.self) == #"{"a":9, "b":2, "b":4}"#)
  }

  @Test func nestingIsBounded() throws {
    func nested(_ levels: Int) -> [UInt8] {
      let inner = String(repeating: "[", count: levels - 1) + String(repeating: "]", count: levels - 1)
      return Array(#"{"a":\#(inner)}"#.utf8)
    }
    try InstructionsJSON.check(nested(1_024))
    let error = #expect(throws: InstructionsError.self) { try InstructionsJSON.check(nested(1_025)) }
    #expect(error?.message.contains("1024 deep") == true)
    #expect(throws: InstructionsError.self) { try InstructionsJSON.check(nested(1_000_000)) }
  }

  @Test(arguments: ["", "[]", "null", "{", #"{"a":1}x"#, "{}{}", "NOT JSON", #"{"a":tru}"#, #"{"a":"\ud800"}"#])
  func whatIsNotOneObjectIsRefused(text: String) {
    #expect(throws: InstructionsError.self) { try InstructionsJSON.check(Array(text.utf8)) }
    #expect(throws: InstructionsError.self) {
      _ = try InstructionsJSON.merging(Array(text.utf8), into: Array("{}".utf8))
    }
  }
}

@Suite struct AddressTests {
  @Test func portsAreParsed() {
    #expect(parsePort("tcp://host:5050") == 5050)
    #expect(parsePort("tcp://[::1]:0") == 0)
    for text in ["tcp://host", "host:1", "tcp://host:", "tcp://host:x", "tcp://host:65536", "ipc:///a:1", ""] {
      #expect(parsePort(text) == nil, "\(text)")
    }
  }

  @Test func wildcardHostsAreReplaced() {
    #expect(replacingWildcardHost(in: "tcp://0.0.0.0:5", with: "h") == "tcp://h:5")
    #expect(replacingWildcardHost(in: "tcp://*:5", with: "::1") == "tcp://[::1]:5")
    #expect(replacingWildcardHost(in: "tcp://a:5", with: "h") == "tcp://a:5")
  }

  @Test func problemsAreNamed() {
    for good in ["tcp://127.0.0.1:1", "tcp://[::1]:65535", "ipc:///tmp/x"] {
      #expect(addressProblem(good, binding: false) == nil, "\(good)")
    }
    #expect(addressProblem("tcp://*:*", binding: true) == nil)
    for bad in ["", "udp://a:1", "tcp://a", "tcp://:1", "tcp://a b:1", "tcp://a:0", "tcp://*:1", "ipc://"] {
      #expect(addressProblem(bad, binding: false)?.contains("for example") == true, "\(bad)")
    }
  }
}
