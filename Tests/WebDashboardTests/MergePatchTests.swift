import Testing

@testable import WebDashboard

@Suite struct MergePatchTests {
  private func patch(_ old: String, _ new: String) throws -> String? {
    try JSONDocument(parsing: Array(old.utf8)).mergePatch(to: JSONDocument(parsing: Array(new.utf8)))
      .map { String(decoding: $0.json, as: UTF8.self) }
  }

  @Test func `Only what changed is told`() throws {
    #expect(try patch(#"{"a":1,"b":{"c":2,"d":3}}"#, #"{"a":1,"b":{"c":2,"d":4}}"#) == #"{"b":{"d":4}}"#)
    #expect(try patch(#"{"a":1}"#, #"{"a":1}"#) == nil)
  }

  @Test func `What is gone is null, what is new is whole`() throws {
    #expect(try patch(#"{"a":1,"b":{"c":2}}"#, #"{"b":{"c":2,"e":{"f":[1]}}}"#) == #"{"a":null,"b":{"e":{"f":[1]}}}"#)
  }

  @Test func `Lists are replaced as a whole, and so is what becomes another kind`() throws {
    #expect(try patch(#"{"a":[1,2]}"#, #"{"a":[1,3]}"#) == #"{"a":[1,3]}"#)
    #expect(try patch(#"{"a":{"b":1}}"#, #"{"a":true}"#) == #"{"a":true}"#)
  }

  @Test func `Large integers stay what they are`() throws {
    let text = #"{"a":9007199254740993,"b":0.5,"c":"\u00e9"}"#
    #expect(try JSONDocument(parsing: Array(text.utf8))["a"] == .integer(9_007_199_254_740_993))
  }
}
