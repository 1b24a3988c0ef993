import Testing

@testable import WebDashboard

@Suite struct PipelineWatchTests {
  private func json(_ text: String) throws -> JSONDocument { try JSONDocument(parsing: Array(text.utf8)) }

  private func bottleneck(_ phases: String, isPaused: Bool = false) throws -> Int? {
    PipelineWatch.bottleneck(try json(phases).elements, isPaused: isPaused)
  }

  @Test func `The bottleneck is where most jobs wait for workers that are at work`() throws {
    #expect(try bottleneck(#"[{"waiting":9,"slots":2},{"waiting":5,"slots":2}]"#) == 0)
    #expect(try bottleneck(#"[{"waiting":2,"slots":2}]"#) == nil)
  }

  @Test func `No phase that is paused or that nobody serves is one`() throws {
    #expect(try bottleneck(#"[{"waiting":9,"slots":2,"paused":true},{"waiting":5,"slots":2}]"#) == 1)
    #expect(try bottleneck(#"[{"waiting":9,"slots":0},{"waiting":5,"slots":2}]"#) == 1)
    #expect(try bottleneck(#"[{"waiting":9,"slots":0}]"#) == nil)
    #expect(try bottleneck(#"[{"waiting":9,"slots":2}]"#, isPaused: true) == nil)
  }

  @Test func `A coordinator that is lost is shown as of when it was heard`() throws {
    var watch = PipelineWatch(address: "tcp://a:1")
    watch.lost("no answer")
    #expect(watch.document["as_of_ms"] == .null)
    let status = try json(
      #"{"pipeline":"p","coordinator":"c","uptime_ms":9223372036854775807,"phases":[],"workers":[]}"#)
    watch.heard(PipelineWatch.Answers(status: status, totals: .object([:])), now: 1_000)
    #expect(watch.document["as_of_ms"] == .null)
    watch.lost("no answer")
    watch.lost("still none")
    #expect(watch.document["as_of_ms"] == .integer(1_000))
    #expect(watch.document["state"] == .string("unreachable"))
  }

  @Test func `Actions are shown by their ids`() throws {
    var watch = PipelineWatch(address: "tcp://a:1")
    let status = try json(#"{"pipeline":"p","coordinator":"c","uptime_ms":1,"phases":[],"workers":[]}"#)
    let actions = try json(#"{"actions":[{"action":"7","verb":"requeue","state":"running"}]}"#)
    watch.heard(PipelineWatch.Answers(status: status, totals: .object([:]), actions: actions), now: 1_000)
    #expect(watch.document["actions"]["7"]["verb"] == .string("requeue"))
  }
}
