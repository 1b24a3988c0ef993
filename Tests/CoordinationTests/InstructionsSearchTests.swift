import JobStorage
import PipelineModel
import Testing
import WireProtocol

@testable import Coordination

@Suite("Jobs are found by a part of their instructions, in bites") struct InstructionsSearchTests {
  private let store = MemoryJobStore()
  private let now = Timestamp(milliseconds: 1_800_000_000_000)

  /// Ids are `j0`, `j1`, …, in the order in which they are enqueued.
  private func enqueue(_ instructions: [[UInt8]]) throws {
    try store.open(
      try PipelineDefinition(name: "p", phases: [PhaseDefinition(jobType: "a")]), owner: "o", now: now)
    var turn = StoreTurn(now: now)
    for (index, payload) in instructions.enumerated() {
      let id = try #require(JobID("j\(index)"))
      turn.enqueues.append(NewJob(id: id, instructions: payload))
    }
    _ = try store.apply(turn)
  }

  /// - Returns: the ids of each bite.
  private func bites(_ search: InstructionsSearch, limit: Int = 50, _ filter: JobFilter = JobFilter()) throws
    -> [[String]]
  {
    var bites: [[String]] = []
    var cursor: String?
    repeat {
      let found = try search.look(through: store, filter, after: cursor, limit: limit)
      #expect(found.page.jobs.count <= limit)
      bites.append(found.page.jobs.map(\.id.text))
      cursor = found.page.next
    } while cursor != nil && bites.count < 1_000
    return bites
  }

  @Test func `What is compressed is searched as it was`() throws {
    let long = #"{"path":"/in/7.wav","pad":"\#(String(repeating: "x", count: 9_000))"}"#
    let payload = CompressedJSON.compress(Array(long.utf8))
    try enqueue([payload, Array(#"{"path":"/in/8.wav"}"#.utf8), Array(#"{"path":"/in/7.flac"}"#.utf8)])
    #expect(try bites(InstructionsSearch(for: "/in/7.")) == [["j2", "j0"]])
    #expect(try bites(InstructionsSearch(for: #""path":"/in/8"#)) == [["j1"]])
    #expect(try bites(InstructionsSearch(for: "/IN/")) == [[]])
    #expect(try bites(InstructionsSearch(for: "/in/"), JobFilter(idPrefix: "j1")) == [["j1"]])
  }

  @Test func `Each job is found once, whatever the bounds of a bite`() throws {
    try enqueue((0..<500).map { Array(#"{"n":\#($0 % 7 == 0 ? "true" : "false")}"#.utf8) })
    let all = stride(from: 497, through: 0, by: -7).map { "j\($0)" }
    for (limit, bounds) in [
      (1, InstructionsSearch.Bounds()), (3, .init(jobs: 10)), (50, .init(bytes: 100)), (1_000, .init(pages: 1)),
      (1_000, .init()),
    ] {
      var search = InstructionsSearch(for: "true")
      search.bounds = bounds
      #expect(try bites(search, limit: limit).flatMap(\.self) == all)
    }
  }

  @Test func `A bite ends where its bounds are reached`() throws {
    try enqueue(Array(repeating: Array(#"{"n":1}"#.utf8), count: 5_000))
    let found = try InstructionsSearch(for: "none").look(through: store, JobFilter(), after: nil, limit: 50)
    #expect(found.page.jobs.isEmpty && found.page.next != nil)
    #expect((2_000...2_100).contains(found.examined))
  }
}
