import ControlProtocol
import Foundation
import Testing

/// The table of docs/wire-protocol.md: what programs in other languages are written from.
private struct Documented {
  var roles: Set<String> = []
  var arguments: Set<String> = []

  static func table() throws -> [String: Documented] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/wire-protocol.md")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    let head = try #require(lines.firstIndex(of: "| verb | role | arguments | answer |"))
    var table: [String: Documented] = [:]
    for line in lines[(head + 2)...].prefix(while: { $0.hasPrefix("|") }) {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      for name in quoted(in: cells[1]) {
        table[name, default: Documented()].roles.formUnion(quoted(in: cells[2]))
        // What stands in parentheses are defaults and bounds.
        table[name, default: Documented()].arguments.formUnion(quoted(in: cells[3].replacing(/\([^)]*\)/, with: "")))
      }
    }
    return table
  }

  private static func quoted(in cell: String) -> [String] { cell.matches(of: /`([^`]+)`/).map { String($0.1) } }
}

/// A value for each member that arguments may have, as JSON.
private let samples = [
  "id": #""a""#, "ids": #"["a"]"#, "states": #"["dead"]"#, "phase": #""p""#, "error": #""e""#, "id_prefix": #""a""#,
  "containing": #""t""#,
  "since_ms": "1", "until_ms": "2", "cursor": #""c""#, "limit": "3", "minutes": "4", "step": "5", "worker": #""w""#,
  "plugin": #""abcdef""#, "after": "6", "level": #""debug""#,
]

@Suite struct VerbsTests {
  @Test func `Each has a name of its own, by which it is found`() {
    #expect(Set(Verbs.all.map { $0.name }).count == Verbs.all.count)
    for verb in Verbs.all { #expect(Verbs.named(verb.name) == verb) }
    #expect(Verbs.named("explode") == nil)
  }

  @Test func `Each is documented with its role and its arguments, and none that is not there`() throws {
    let documented = try Documented.table()
    #expect(Set(documented.keys) == Set(Verbs.all.map { $0.name }))
    for verb in Verbs.all {
      let said = try #require(documented[verb.name])
      #expect(said.roles == [verb.role.rawValue], "\(verb.name)")
      #expect(said.arguments == Set(Self.members(of: verb)), "\(verb.name)")
    }
  }

  @Test func `A verb that changes something is for an operator, and one that looks is not`() {
    for verb in Verbs.all { #expect((verb.effect == .changes) == (verb.role == .operator), "\(verb.name)") }
  }

  @Test func `Every member that is told is read, and written as it was`() throws {
    for verb in Verbs.all {
      let said = try Self.members(of: verb).sorted().map { #""\#($0)":\#(try #require(samples[$0], "\($0)"))"# }
      let json = Array("{\(said.joined(separator: ","))}".utf8)
      #expect(try Self.again(json, verb) == json, "\(verb.name)")
    }
  }

  @Test func `A list of states must be there and has a bound`() {
    for json in [
      "{}", #"{"ids":null}"#, #"{"ids":[\#(Array(repeating: "\"a\"", count: 1_001).joined(separator: ","))]}"#,
    ] {
      #expect(throws: VerbArgumentsError.self) {
        try ControlJSON.value(Verbs.States.Arguments.self, from: Array(json.utf8))
      }
    }
  }

  private static func members<V: Verb>(of verb: V.Type) -> [String] { V.Arguments.members }

  private static func again<V: Verb>(_ json: [UInt8], _ verb: V.Type) throws -> [UInt8] {
    ControlJSON.text(of: try ControlJSON.value(V.Arguments.self, from: json))
  }
}

@Suite struct DocumentTests {
  /// Other programs read the same.
  @Test(arguments: [
    (#"{"cancelled":3}"#, ChangeDocument.ended(.cancelled, 3)), (#"{"was":"running"}"#, .was("running")),
    (#"{"deleted":0}"#, .ended(.deleted, 0)), (#"{"requeued":1}"#, .ended(.requeued, 1)),
    (
      #"{"action":"a","changed":1,"examined":2,"started_at_ms":3,"state":"running","verb":"delete"}"#,
      .action(
        ActionDocument(action: "a", verb: "delete", state: "running", changed: 1, examined: 2, startedAtMs: 3))
    ),
  ])
  func `What became of a change is one of three objects`(json: String, document: ChangeDocument) throws {
    #expect(String(decoding: ControlJSON.text(of: document), as: UTF8.self) == json)
    #expect(try ControlJSON.value(ChangeDocument.self, from: Array(json.utf8)) == document)
  }

  @Test func `A count is a number or an action`() throws {
    let json = #"{"count":5,"more":false}"#
    #expect(String(decoding: ControlJSON.text(of: CountDocument.counted(5, more: false)), as: UTF8.self) == json)
    #expect(try ControlJSON.value(CountDocument.self, from: Array(#"{"count":5}"#.utf8)) == .counted(5, more: false))
    let action = ActionDocument(action: "a", verb: "count", state: "done", changed: 1, examined: 2, startedAtMs: 3)
    let text = ControlJSON.text(of: CountDocument.action(action))
    #expect(text == ControlJSON.text(of: action))
    #expect(try ControlJSON.value(CountDocument.self, from: text) == .action(action))
  }

  @Test func `A job that is not there has null for its state`() throws {
    let document = StatesDocument(states: ["dead", nil])
    #expect(String(decoding: ControlJSON.text(of: document), as: UTF8.self) == #"{"states":["dead",null]}"#)
    #expect(try ControlJSON.value(StatesDocument.self, from: ControlJSON.text(of: document)) == document)
  }

  @Test func `What a coordinator says more is passed over, and what it need not say may be missing`() throws {
    let json = #"""
      {"pipeline":"p","coordinator":"c","uptime_ms":1,"paused":false,"phases":[],"succeeded":0,"cancelled":0,
       "workers":[{"id":"w","host":"h","pid":1,"job_type":"a","concurrency":2,"in_flight":0,"succeeded":0,"failed":0,
         "state":"serving","plugin":"","heartbeat_age_ms":3}],"store":{"address":"memory:","state":"open"},"more":1}
      """#
    let status = try ControlJSON.value(StatusDocument.self, from: Array(json.utf8))
    #expect(status.workers.map(\.jobType) == ["a"] && status.warnings == nil && status.workers[0].pluginFile == nil)
  }
}
