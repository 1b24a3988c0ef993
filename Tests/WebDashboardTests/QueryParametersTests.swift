import PipelineModel
import Testing

@testable import WebDashboard

@Suite struct QueryParametersTests {
  private func parsed(
    _ query: String, _ accepted: AcceptedParameters = .filter + ["limit"]
  ) throws(Problem) -> QueryParameters { try QueryParameters(target: "/jobs?\(query)", accepting: accepted) }

  private func refusal(_ query: String, _ accepted: AcceptedParameters = .filter + ["limit"]) -> String? {
    do throws(Problem) {
      _ = try parsed(query, accepted)
      return nil
    } catch {
      return error.status == .badRequest ? error.detail : "\(error.status)"
    }
  }

  @Test(arguments: [
    ("phse=x", "phse"), ("state=dead&phse=x", "phse"), ("delay=100", "delay"), ("phase=", "phase"), ("phase", "phase"),
    ("id=", "id"), ("phase=a&phase=b", "phase"), ("limit=1&limit=1", "limit"), ("phase=%zz", "phase"),
    ("phase=%ff", "phase"), ("%70hase=", "phase"), ("State=dead", "State"), ("=x", "''"),
  ])
  func `What is unknown, empty, repeated or badly encoded is refused by its name`(query: String, name: String) {
    #expect(refusal(query)?.contains(name) == true, "\(refusal(query) ?? "taken")")
  }

  @Test func `An address that takes nothing refuses everything`() {
    #expect(refusal("x=1", .none) != nil)
    #expect(refusal("", .none) == nil)
  }

  @Test func `What is meant to be repeated is`() throws {
    let filter = try parsed("state=dead&state=waiting&error=a+b%2Bc&id_prefix=%2F#x").filter
    #expect(filter["states"] == .array([.string("dead"), .string("waiting")]))
    #expect(filter["error"] == .string("a b+c"))
    #expect(filter["id_prefix"] == .string("/"))
  }

  @Test func `Bounds of time are told to the coordinator in milliseconds`() throws {
    let filter = try parsed("since=2001-09-09T01:46:40Z&until=2033-05-18T03:33:20%2B00:00").filter
    #expect(filter["since_ms"] == .integer(1_000_000_000_000) && filter["until_ms"] == .integer(2_000_000_000_000))
    let age = try #require(try parsed("until=2h").narrowFilter()["until_ms"]?.integer)
    #expect((0..<60_000).contains(Timestamp.now().milliseconds - 7_200_000 - age))
    for word in ["tomorrow", "-5m", "1e400", "2030-01-31", "nan"] {
      #expect(throws: Problem.self) { try parsed("since=\(word)").filter }
    }
  }

  @Test func `Nothing named never means everything`() throws {
    #expect(throws: Problem.self) { try parsed("limit=3").narrowFilter() }
    #expect(throws: Problem.self) { try parsed("").narrowFilter() }
    #expect(try parsed("state=dead").narrowFilter().count == 1)
  }

  @Test(arguments: ["0", "201", "-1", "9223372036854775808", "1e3", "1.0", " 1", "0x1", "99999999999999999999999", "١"])
  func `Numbers out of range and what is no number are refused`(text: String) throws {
    let query = try parsed("limit=\(text.percentEncoded)")
    #expect(throws: Problem.self) { try query.integer("limit", in: 1...200) }
  }
}

@Suite struct PercentCodingTests {
  @Test func `Every id that can be stored comes back as it was`() {
    let characters = (0x21...0x7e).map { String(UnicodeScalar(UInt8($0))) }
    for id in characters + [".", "..", "%2F", "a/b", "%", "a%00b", characters.joined(), "../..", "key-%25"] {
      #expect(String(percentDecoding: id.percentEncoded) == id)
      #expect(!id.percentEncoded.contains { "/?#&+ ".contains($0) })
    }
  }

  @Test(arguments: ["%", "%1", "%zz", "%-1", "%ff", "%c3%28", "a%"])
  func `Bad escapes are none`(text: String) { #expect(String(percentDecoding: text) == nil) }

  @Test func `A plus is a space in queries alone`() {
    #expect(String(percentDecoding: "a+b") == "a+b")
    #expect(String(percentDecoding: "a+b", plusIsSpace: true) == "a b")
  }
}

@Suite struct MethodTableTests {
  private let table = MethodTable([
    .get("/jobs/:id") { _ in throw Problem(.notFound, "") }, .delete("/jobs/:id") { _ in throw Problem(.notFound, "") },
    .get("/") { _ in throw Problem(.notFound, "") },
  ])

  @Test func `Each address knows its methods`() {
    #expect(table.methods(at: "/jobs/count") == [.get, .head, .delete])
    #expect(table.methods(at: "/") == [.get, .head])
    #expect(table.methods(at: "/jobs") == nil)
    #expect(table.methods(at: "/jobs/a/b") == nil)
  }
}
