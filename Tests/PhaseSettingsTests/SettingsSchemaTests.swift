import PhaseSettings
import Testing

@Suite struct SettingsSchemaTests {
  private func problems(_ schema: String, _ settings: String) throws -> [String] {
    try SettingsSchema(parsing: schema).problems(with: SettingsValue(parsing: Array(settings.utf8)))
  }

  @Test(arguments: [
    (#"{"type":"object"}"#, "{}"), ("true", "{}"), (#"{"properties":{"a":{"type":"integer"}}}"#, #"{"a":1.0}"#),
    (#"{"properties":{"a":{"enum":[1,"x"]}}}"#, #"{"a":1.0}"#),
    (#"{"properties":{"a":{"maxLength":2}}}"#, #"{"a":"üü"}"#),
    (#"{"properties":{"a":{"multipleOf":0.1}}}"#, #"{"a":0.3}"#),
    (##"{"$defs":{"port":{"minimum":1}},"properties":{"a":{"$ref":"#/$defs/port"}}}"##, #"{"a":1}"#),
    (#"{"properties":{"a":{"type":["string","null"]}}}"#, #"{"a":null}"#),
    (#"{"properties":{"a":{"oneOf":[{"type":"string"},{"type":"integer"}]}}}"#, #"{"a":3}"#),
    (#"{"title":"t","description":"d","default":1,"format":"uri"}"#, "{}"),
    (#"{"properties":{"pattern":{"type":"string"}}}"#, #"{"pattern":"x"}"#),
    (#"{"properties":{"a":{"pattern":"b+"}}}"#, #"{"a":"abc"}"#),
    (#"{"properties":{"a":{"pattern":"^$"}}}"#, #"{"a":""}"#),
    (#"{"properties":{"a":{"pattern":"^.{2}$"}}}"#, #"{"a":"üü"}"#),
    (#"{"properties":{"a":{"pattern":"b"}}}"#, #"{"a":7}"#),
    (#"{"properties":{"a":{"pattern":"^\\d{4}-\\d{2}\\/\\p{L}$"}}}"#, #"{"a":"2030-01/ü"}"#),
    (#"{"properties":{"a":{"pattern":"a.?b"}}}"#, #"{"a":"a\u0000b"}"#),
  ])
  func `What fits is taken`(_ schema: String, _ settings: String) throws {
    #expect(try problems(schema, settings) == [])
  }

  @Test(arguments: [
    (#"{"properties":{"port":{"type":"integer"}}}"#, #"{"port":"s3cret"}"#, "/port must be an integer, is a string"),
    (#"{"required":["host"]}"#, "{}", "/host is missing"),
    (#"{"properties":{"d":{"required":["p"]}}}"#, #"{"d":{}}"#, "/d/p is missing"),
    (#"{"properties":{"a":{}},"additionalProperties":false}"#, #"{"b":1}"#, "/b is not known; known are: a"),
    (#"{"additionalProperties":{"type":"boolean"}}"#, #"{"b":1}"#, "/b must be a boolean, is an integer"),
    (#"{"properties":{"a":{"enum":[1,"x"]}}}"#, #"{"a":2}"#, #"/a must be one of 1, "x""#),
    (#"{"properties":{"a":{"const":5}}}"#, #"{"a":6}"#, "/a must be 5"),
    (#"{"properties":{"a":{"minimum":1}}}"#, #"{"a":0}"#, "/a must be at least 1"),
    (#"{"properties":{"a":{"exclusiveMaximum":1}}}"#, #"{"a":1}"#, "/a must be less than 1"),
    (#"{"properties":{"a":{"minLength":1}}}"#, #"{"a":""}"#, "/a must have at least 1 characters"),
    (#"{"properties":{"a":{"items":{"type":"string"}}}}"#, #"{"a":["x",1]}"#, "/a/1 must be a string, is an integer"),
    (#"{"properties":{"a":{"maxItems":1,"uniqueItems":true}}}"#, #"{"a":[1,1]}"#, "/a must have at most 1 elements"),
    (#"{"properties":{"a":{"not":{"type":"string"}}}}"#, #"{"a":"x"}"#, "/a has a form that is not allowed"),
    (#"{"properties":{"a":{"anyOf":[{"type":"string"}]}}}"#, #"{"a":1}"#, "/a fits none of the forms that are allowed"),
    (#"{"properties":{"a":false}}"#, #"{"a":1}"#, "/a is not allowed"),
    (#"{"propertyNames":{"maxLength":1}}"#, #"{"ab":1}"#, "/ab must have at most 1 characters"),
    (#"{"properties":{"a":{"pattern":"^b+$"}}}"#, #"{"a":"s3cret"}"#, #"/a must match the pattern "^b+$""#),
    (#"{"properties":{"a":{"pattern":"^b$"}}}"#, #"{"a":"b\n"}"#, #"/a must match the pattern "^b$""#),
    (#"{"propertyNames":{"pattern":"^[a-z]+$"}}"#, #"{"A":1}"#, #"/A must match the pattern "^[a-z]+$""#),
    (##"{"$ref":"#"}"##, "{}", "the whole cannot be checked: the schema leads round in circles"),
  ])
  func `What does not fit is named by its place, never by its value`(
    _ schema: String, _ settings: String, _ problem: String
  ) throws {
    let found = try problems(schema, settings)
    #expect(found.first == problem)
    #expect(!found.joined().contains("s3cret"))
  }

  @Test(arguments: [
    ("{", "is not JSON"), ("3", "is no JSON Schema"), (#"{"patternProperties":{}}"#, "'patternProperties'"),
    (#"{"pattern":"(a)\\1"}"#, #"'pattern' "(a)\\1", which RE2 does not take: invalid escape sequence: \1"#),
    (#"{"items":{"pattern":"a(?=b)"}}"#, "which RE2 does not take: invalid perl operator"),
    (#"{"pattern":"(?<!a)b"}"#, "which RE2 does not take: "), (#"{"pattern":"[a"}"#, "missing ]"),
    (#"{"pattern":"((a{100}){100}){100}"}"#, "which RE2 does not take: "),
    (#"{"pattern":"\\pL{1000}"}"#, "pattern too large"), (#"{"pattern":3}"#, "'pattern' that is no text"),
    (#"{"pattern":"\#(String(repeating: "a", count: 1_025))"}"#, "of 1025 bytes; at most 1024"),
    (
      #"{"anyOf":[\#((0...100).map { #"{"pattern":"\#($0)"}"# }.joined(separator: ","))]}"#,
      "more than 100 different patterns"
    ),
    (#"{"minimun":1}"#, "'minimun'"), (##"{"$ref":"https://example.org/x"}"##, "$ref"),
    (String(repeating: #"{"not":"#, count: 70) + "{}" + String(repeating: "}", count: 70), "nests deeper"),
    (String(repeating: "[", count: 100_000), "nests deeper"),
  ])
  func `A schema that would let through what it forbids is refused`(_ schema: String, _ reason: String) throws {
    let error = #expect(throws: SettingsError.self) { try SettingsSchema(parsing: schema) }
    #expect(error?.description.contains(reason) == true)
  }

  @Test func `Alternatives within alternatives end in bounded time`() throws {
    let schema = ##"{"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}"##
    #expect(try problems(schema, "{}") != [])
  }

  @Test func `Of settings the last counts, objects are merged, and a phase's own win`() throws {
    var settings = try PhaseSettings(json: Array(#"{"database":{"host":"a","port":1},"list":[1,2]}"#.utf8))
    try settings.add(SettingsValue(parsing: Array(#"{"database":{"port":2},"list":[3]}"#.utf8)), to: nil)
    try settings.set("database.user.name", to: .string("x"), of: "encode")
    try settings.set("database.host", to: .string("b"), of: "encode")
    #expect(
      String(decoding: settings.value(for: "encode").json, as: UTF8.self)
        == #"{"database":{"host":"b","port":2,"user":{"name":"x"}},"list":[3]}"#)
    #expect(
      String(decoding: settings.value(for: "other").json, as: UTF8.self)
        == #"{"database":{"host":"a","port":2},"list":[3]}"#)
    #expect(throws: SettingsError.self) { try settings.set("a..b", to: .null, of: nil) }
    #expect(throws: SettingsError.self) { try PhaseSettings(json: Array("[]".utf8)) }
  }
}
