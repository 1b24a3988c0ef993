import Testing

@testable import WebDashboard

@Suite struct RequestGateTests {
  /// Holds its place inside until the stream ends.
  private func occupant(of gate: RequestGate, until stream: AsyncStream<Void>) -> Task<Void, any Error> {
    Task { try await gate.pass { for await _ in stream {} } }
  }

  /// A gate, and how many are inside and wait after each that came.
  private func watchedGate(waiting: Int) -> (gate: RequestGate, loads: AsyncStream<[Int]>) {
    let (loads, told) = AsyncStream<[Int]>.makeStream()
    let gate = RequestGate(limit: 1, waiting: waiting) { told.yield([$0.load.inside, $0.load.waiting]) }
    return (gate, loads)
  }

  private func load(_ loads: AsyncStream<[Int]>, becomes wanted: [Int]) async {
    for await load in loads where load == wanted { return }
  }

  @Test func `So many pass, some wait, and all others hear that it is busy`() async throws {
    let (gate, loads) = watchedGate(waiting: 1)
    let (stream, hold) = AsyncStream<Void>.makeStream()
    let first = occupant(of: gate, until: stream)
    await load(loads, becomes: [1, 0])
    let second = Task { try await gate.pass { 2 } }
    await load(loads, becomes: [1, 1])
    await #expect(throws: RequestGate.Busy.self) { try await gate.pass { 3 } }
    hold.finish()
    try await first.value
    #expect(try await second.value == 2)
    #expect(gate.load == (0, 0))
  }

  @Test func `Whoever is given up while it waits never gets its turn`() async throws {
    let (gate, loads) = watchedGate(waiting: 8)
    let (stream, hold) = AsyncStream<Void>.makeStream()
    let first = occupant(of: gate, until: stream)
    await load(loads, becomes: [1, 0])
    let left = (0..<8).map { _ in Task { try await gate.pass { Issue.record("it got its turn") } } }
    await load(loads, becomes: [1, 8])
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
