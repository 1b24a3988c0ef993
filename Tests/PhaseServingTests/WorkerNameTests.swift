import PipelineModel
import Testing

@testable import PhaseServing

@Suite struct WorkerNameTests {
  @Test func `Each build of a job type has an id of its own, and all begin alike`() throws {
    var name = WorkerName(WorkerID("here"))
    #expect(name.ofOnlyService?.text == "here")
    let ids = ["cut", "glue", "cut", "cut"].map { name.next(of: $0)?.text }
    #expect(ids == ["here/cut", "here/glue", "here/cut/2", "here/cut/3"])
  }

  @Test func `A name that was made leaves room for the longest job type`() throws {
    var name = WorkerName(nil)
    let longest = String(repeating: "x", count: 64)
    let made = name.next(of: longest)
    let id = try #require(made)
    #expect(id.text.hasSuffix("/\(longest)") && id.text.split(separator: "/").count == 2)
    var tooLong = WorkerName(WorkerID(String(repeating: "n", count: 128)))
    let none = tooLong.next(of: "cut")
    #expect(tooLong.ofOnlyService != nil && none == nil)
  }

  @Test func `What a poller is told comes back as it was`() {
    let keys: [PollKey] = [
      .wake, .meeting(0), .meeting(1), .meeting(7), .connection(1), .connection(2), .child(service: 1, slot: 0),
      .child(service: 1, slot: 2_047), .child(service: 70_000, slot: 3),
    ]
    for key in keys { #expect(PollKey(code: key.code) == key) }
    for key in keys.suffix(5) { #expect(PollKey(code: key.secondCode) == key && key.secondCode != key.code) }
    #expect(Set(keys.map(\.code) + keys.suffix(5).map(\.secondCode)).count == keys.count + 5)
  }
}
