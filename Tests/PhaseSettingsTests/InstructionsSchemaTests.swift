import PhaseSettings
import Testing

@Suite struct InstructionsSchemaTests {
  private func verdict(
    _ schema: String, _ json: String, steps: Int = InstructionsSchema.mostSteps
  ) throws -> InstructionsSchema.Verdict {
    try InstructionsSchema(parsing: schema, of: "p").verdict(on: Array(json.utf8), steps: steps)
  }

  private func unfit(_ problem: String) -> InstructionsSchema.Verdict {
    .unfit("instructions must be what phase 'p' takes: \(problem)")
  }

  @Test(arguments: [
    (#"{"required":["size"]}"#, #"{"size":1}"#), (#"{"required":["sïze"]}"#, ##"{"s\u00efze":1}"##),
    (#"{"properties":{"a":{"const":"😀\n"}}}"#, ##"{"a":"\ud83d\ude00\n"}"##),
    (#"{"properties":{"a":{"const":"\ufffd\"\\"}}}"#, ##"{"a":"\ud83d\"\\"}"##),
    (#"{"properties":{"a":{"type":"integer"}}}"#, #"{"a":123456789012345678901234567890}"#),
    (#"{"properties":{"a":{"type":"number"}}}"#, #"{"a":1e999}"#),
    (#"{"properties":{"a":{"const":-0.25}}}"#, " { \"a\" :\t-2.5e-1\r\n} "),
    (#"{"properties":{"a":{"const":2}}}"#, #"{"a":1,"a":2}"#),
    (#"{"properties":{"a":{"items":{"type":["array","object","null","boolean"]}}}}"#, #"{"a":[[],{},null,true,[{}]]}"#),
    (#"{"maxProperties":0}"#, "\u{feff}{ }"),
  ])
  func `Instructions that are what a phase takes fit`(_ schema: String, _ json: String) throws {
    #expect(try verdict(schema, json) == .fits)
  }

  @Test func `One line names the place and never a value`() throws {
    let schema = #"{"properties":{"size":{"type":"integer","minimum":0}},"required":["size"]}"#
    #expect(try verdict(schema, "{}") == unfit("/size is missing"))
    #expect(try verdict(schema, #"{"size":-1}"#) == unfit("/size must be at least 0"))
    #expect(try verdict(schema, #"{"size":"s3cret"}"#) == unfit("/size must be an integer, is a string"))
    let several = #"{"properties":{"a":false,"b":false}}"#
    #expect(try verdict(several, #"{"a":1,"b":2}"#) == unfit("/a is not allowed; and 1 more"))
    let many = #"{"additionalProperties":false}"#
    let members = (0..<1_000).map { #""\#($0)":1"# }.joined(separator: ",")
    #expect(try verdict(many, "{\(members)}") == unfit("/0 is not known; and many more"))
  }

  @Test func `A line is short, however long the name of a member is`() throws {
    let name = String(repeating: "ü", count: 10_000)
    guard case .unfit(let line) = try verdict(#"{"additionalProperties":false}"#, #"{"\#(name)":1}"#) else {
      return #expect(Bool(false), "it fits")
    }
    #expect(line.utf8.count < 500 && line.hasSuffix("ü…"))
  }

  @Test func `Deep nesting ends no process, and is told`() throws {
    let json = #"{"a":"# + String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000) + "}"
    #expect(try verdict("{}", json) == unfit("they nest deeper than 100 levels"))
  }

  @Test func `A check has as many steps as it is given`() throws {
    let json = #"{"a":[\#(Array(repeating: "1", count: 1_000).joined(separator: ","))]}"#
    #expect(try verdict("{}", json, steps: 500) == .undecided)
    #expect(try verdict("{}", json, steps: 5_000) == .fits)
    // Each element is looked at once by each alternative.
    let alternatives = Array(repeating: #"{"items":{"type":"string"}}"#, count: 50).joined(separator: ",")
    let schema = #"{"properties":{"a":{"anyOf":[\#(alternatives)]}}}"#
    #expect(try verdict(schema, json, steps: 5_000) == .undecided)
    #expect(try verdict(schema, json) == unfit("/a fits none of the forms that are allowed"))
    // Without such a limit: 2^60 steps.
    let circle = ##"{"$defs":{"x":{"anyOf":[{"$ref":"#/$defs/x"},{"$ref":"#/$defs/x"}]}},"$ref":"#/$defs/x"}"##
    #expect(try verdict(circle, "{}") == unfit("they have too many values to be checked"))
  }

  @Test func `A schema with a keyword that is not known is refused as a whole`() {
    let error = #expect(throws: SettingsError.self) {
      try InstructionsSchema(parsing: #"{"properties":{"a":{"patternProperties":{}}}}"#, of: "p")
    }
    #expect(error?.description.contains("'patternProperties'") == true)
  }

  @Test func `A pattern is searched in linear time, and counts among the steps`() throws {
    // Each is exponential, or quadratic, for whoever goes back.
    for pattern in ["^(a+)+$", "^(a|a)*$", "(.*)*x", "(a*)*b"] {
      let schema = #"{"properties":{"a":{"pattern":"\#(pattern)"}}}"#
      let text = String(repeating: "a", count: 200_000) + "!"
      let shown = "/a must match the pattern \"\(pattern)\""
      #expect(try verdict(schema, #"{"a":"\#(text)"}"#) == unfit(shown))
      #expect(try verdict(schema, #"{"a":"\#(text)"}"#, steps: 1_000) == .undecided)
    }
    // Of a large program each byte counts for more.
    let text = String(repeating: "a", count: 600_000)
    let schema = #"{"properties":{"a":{"pattern":"(a{0,300}b)*c"}}}"#
    #expect(try verdict(schema, #"{"a":"\#(text)"}"#) == unfit("they have too many values to be checked"))
  }
}
