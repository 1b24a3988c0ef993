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

  @Test(arguments: ["", "[]", "null", "{", #"{"a":1}x"#, "{}{}"])
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
