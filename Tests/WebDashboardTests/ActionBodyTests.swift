import Testing

@testable import WebDashboard

@Suite struct ActionBodyTests {
  private func meant(_ json: String) throws -> (verb: String, filter: [String: JSONDocument]) {
    try ActionRoutes.meant(by: Array(json.utf8))
  }

  @Test func `Verbs and names are put into the coordinator's words`() throws {
    let (verb, filter) = try meant(#"{"verb":"requeue","filter":{"state":["dead"],"id_prefix":"a"}}"#)
    #expect(verb == "requeue")
    #expect(filter == ["states": .array([.string("dead")]), "id_prefix": .string("a")])
    #expect(try meant(#"{"verb":"cancel","filter":{"state":"dead"}}"#).filter["states"] == .array([.string("dead")]))
    #expect(try meant(#"{"verb":"delete","filter":{"id":".."}}"#).filter == ["id": .string("..")])
    #expect(
      try meant(#"{"verb":"delete","filter":{"since":"2001-09-09T01:46:40Z"}}"#).filter
        == ["since_ms": .integer(1_000_000_000_000)])
  }

  @Test(arguments: [
    "", "[]", "null", #"{"verb":"delete"}"#, #"{"verb":"delete","filter":{}}"#, #"{"verb":"delete","filter":null}"#,
    #"{"filter":{"id":"a"}}"#, #"{"verb":"count","filter":{"id":"a"}}"#, #"{"verb":"delete","filter":{"phse":"a"}}"#,
    #"{"verb":"delete","filter":{"id_prefix":""}}"#, #"{"verb":"delete","filter":{"state":[]}}"#,
    #"{"verb":"delete","filter":{"state":[1]}}"#, #"{"verb":"delete","filter":{"id":null}}"#,
    #"{"verb":"delete","filter":{"state":"dead"},"phase":"x"}"#, #"{"verb":"delete","filter":{"limit":"1"}}"#,
    #"{"verb":"delete","filter":{"until":5}}"#, #"{"verb":"delete","filter":{"until":"soon"}}"#,
  ])
  func `A body that names nothing, or what is not known, is refused`(json: String) {
    #expect(throws: Problem.self) { try meant(json) }
  }

  @Test func `The former name of a verb means the same`() throws {
    let body = #"{"verb":"requeue","filter":{"state":"dead"}}"#
    #expect(try meant(body) == meant(body.replacing("requeue", with: "retry")))
  }
}

@Suite struct IdempotencyKeysTests {
  @Test func `Another body under the same key is seen, and old keys are forgotten`() {
    let keys = IdempotencyKeys(limit: 2)
    #expect(IdempotencyKeys.jobID(for: "a") != IdempotencyKeys.jobID(for: "b"))
    for id in ["a", "b", "c"] { keys.remember(Array(id.utf8), for: id) }
    #expect(keys.isSame([99], as: "a") == nil)
    #expect(keys.isSame(Array("b".utf8), as: "b") == true)
    #expect(keys.isSame(Array("x".utf8), as: "c") == false)
  }
}
