import PipelineAccess
import Testing

@Suite struct JobTextTests {
  private func job(_ text: String) throws -> PipelineClient.Job { try PipelineClient.Job(json: Array(text.utf8)) }

  @Test func `Members are read, and instructions stay byte for byte`() throws {
    let full = try job(
      #" { "priority" : -8, "instructions" : {"a": [1, "}\"{" ], "b":1.0 } , "id":"x\u0079", "delay": 1.5 } "#)
    #expect(full.id == "xy" && full.priority == -8 && full.delayMilliseconds == 1_500)
    #expect(String(decoding: full.instructions, as: UTF8.self) == #"{"a": [1, "}\"{" ], "b":1.0 }"#)
    #expect(try job("{}").instructions == Array("{}".utf8))
    #expect(try PipelineClient.Job(json: Array("{}".utf8), priority: 3, delayMilliseconds: 9).delayMilliseconds == 9)
  }

  @Test(arguments: [
    ("[]", "a job must be one JSON object"), ("{", "a job must be one JSON object"), (#"{"id": 7}"#, "'id' must be"),
    (#"{"priority": 8}"#, "'priority'"), (#"{"priority": 1.5}"#, "'priority'"), (#"{"delay": -1}"#, "'delay'"),
    (#"{"delay": 1e300}"#, "'delay'"), (#"{"instructions": "x"}"#, "'instructions'"),
    (#"{"instructions": null}"#, "'instructions'"), (#"{"colour": 1}"#, "'colour' is no member"),
    (#"{"id": "a", "id": "b"}"#, "'id' stands there twice"), (#"{"i\u0064": "a", "id": "b"}"#, "twice"),
  ])
  func `What is no job is told why`(_ text: String, _ reason: String) {
    let error = #expect(throws: JobTextError.self) { try job(text) }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }

  @Test func `Parts of arrays are cut where they end`() {
    let parts = JSONMembers.parts(of: Array(#"[ {"a":[1,2]} , "x,]" ,3 ]"#.utf8)).map {
      String(decoding: $0, as: UTF8.self)
    }
    #expect(parts == [#"{"a":[1,2]}"#, #""x,]""#, "3"])
    #expect(JSONMembers.parts(of: Array("[ ]".utf8)).isEmpty)
  }
}
