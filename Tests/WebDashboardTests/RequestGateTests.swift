import Testing

@testable import WebDashboard

@Suite struct RequestGateTests {
  /// Holds its place inside until the stream ends.
  private func occupant(of gate: RequestGate, until stream: AsyncStream<Void>) -> Task<Void, any Error> {
    Task { try await gate.pass { for await _ in stream {} } }
  }

  private func load(of gate: RequestGate, becomes inside: Int, _ waiting: Int) async {
    while gate.load != (inside, waiting) { await Task.yield() }
  }

  @Test func `So many pass, some wait, and all others hear that it is busy`() async throws {
    let gate = RequestGate(limit: 1, waiting: 1)
    let (stream, hold) = AsyncStream<Void>.makeStream()
    let first = occupant(of: gate, until: stream)
    await load(of: gate, becomes: 1, 0)
    let second = Task { try await gate.pass { 2 } }
    await load(of: gate, becomes: 1, 1)
    await #expect(throws: RequestGate.Busy.self) { try await gate.pass { 3 } }
    hold.finish()
    try await first.value
    #expect(try await second.value == 2)
    #expect(gate.load == (0, 0))
  }

  @Test func `Whoever is given up while it waits never gets its turn`() async throws {
    let gate = RequestGate(limit: 1, waiting: 8)
    let (stream, hold) = AsyncStream<Void>.makeStream()
    let first = occupant(of: gate, until: stream)
    await load(of: gate, becomes: 1, 0)
    let left = (0..<8).map { _ in Task { try await gate.pass { Issue.record("it got its turn") } } }
    await load(of: gate, becomes: 1, 8)
    for each in left { each.cancel() }
    for each in left { await #expect(throws: CancellationError.self) { try await each.value } }
    #expect(gate.load == (1, 0))
    hold.finish()
    try await first.value
    #expect(try await gate.pass { true })
  }

  @Test func `One that was cancelled before does not begin`() async {
    let gate = RequestGate(limit: 1, waiting: 1)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await gate.pass { true }
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(gate.load == (0, 0))
  }
}
