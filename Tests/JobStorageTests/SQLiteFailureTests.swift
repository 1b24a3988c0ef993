import JobStorage
import JobStorageSQLite
import PipelineModel
import Testing

@testable import JobStorageSQLite

/// What is left of a turn that could not be done.
@Suite struct SQLiteFailureTests {
  @Test func aFullFileRefusesWritesAndKeepsWhatItHas() throws {
    let file = try SQLiteFile()
    let store = try file.opened("synchronous=normal&max_bytes=1048576")
    let (error, kept) = try fill(store, file)
    #expect(error.kind == .refusesWrites && error.isTransient && error.message.contains("disk full"))
    #expect(throws: StoreError.self) { try store.counts() }
    try file.open(store)
    #expect(try store.counts().phases[0].waiting == kept.count)
    #expect(try Set(store.allJobs().map(\.id.text)) == Set(kept))
    // Still full, and still whole.
    #expect(throws: StoreError.self) { try store.enqueue(["more"], bytes: 200_000, now: file.now) }
    try file.open(store)
    #expect(try store.job(.named("more")) == nil)
  }

  @Test func roomThatIsMadeIsUsed() throws {
    let file = try SQLiteFile()
    let store = try file.opened("synchronous=normal&max_bytes=1048576")
    let (_, kept) = try fill(store, file)
    try file.open(store)
    #expect(try store.delete(matching: JobFilter(), limit: kept.count / 2, now: file.now) == kept.count / 2)
    try store.enqueue((0..<10).map { "new-\($0)" }, bytes: 2_000, now: file.now)
    #expect(try store.counts().phases[0].waiting == kept.count - kept.count / 2 + 10)
  }

  @Test func aLargerLimitEndsTheShortage() throws {
    let file = try SQLiteFile()
    let small = try file.opened("synchronous=normal&max_bytes=1048576")
    let (_, kept) = try fill(small, file)
    small.close()
    let large = try file.opened("synchronous=normal&max_bytes=8388608")
    try large.enqueue((0..<100).map { "new-\($0)" }, bytes: 2_000, now: file.now)
    #expect(try large.claim(limit: 10_000, now: file.now).count == kept.count + 100)
  }

  @Test func aTurnThatFailsInTheMiddleChangesNothing() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue(["a", "b", "c", "d"], now: file.now)
    let held = try store.claim(limit: 3, now: file.now)
    let before = (try store.allJobs(), try store.counts(), try store.runningJobs())
    store.close()
    try file.execute(
      "CREATE TRIGGER no_worker BEFORE INSERT ON leases WHEN NEW.worker = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END")
    try file.open(store)
    let attempt = AttemptRecord(
      phase: 0, number: 1, worker: .named("worker-1"), plugin: "", startedAt: file.now, endedAt: file.now,
      outcome: .failed)
    var turn = StoreTurn(now: file.now + 1)
    let effects: [Effect] = [
      .advance(to: 1, instructions: [1, 2, 3]), .bury(JobError(type: "T", message: "m")), .toFront(losses: nil),
    ]
    turn.settlements = zip(held, effects).map { job, effect in
      Settlement(
        job: job.id, token: job.token, from: 0, counters: job.counters, attempt: attempt, effect: effect)
    }
    turn.enqueues = [NewJob(id: .named("new"), instructions: [])]
    turn.metrics = [PhaseMetrics(minute: 1, phase: 0)]
    turn.claims = [Claim(phase: 0, worker: .named("bad"), limit: 10)]
    #expect(throws: StoreError.self) { try store.apply(turn) }
    try file.open(store)
    #expect(try store.allJobs() == before.0)
    #expect(try store.counts() == before.1)
    #expect(try store.runningJobs() == before.2)
    #expect(try store.metrics(minutes: 0...9).isEmpty)
    turn.claims[0].worker = .named("good")
    let result = try store.apply(turn)
    #expect(result.settlements == [.recorded, .recorded, .recorded])
    #expect(result.claims[0].map(\.id.text) == ["c", "d", "new"])
  }

  @Test func aWriterThatDoesNotEndMakesTheStoreUnavailable() throws {
    let file = try SQLiteFile()
    let store = try file.opened("busy_timeout=0")
    let other = try Connection(file: file.path, busyTimeoutMilliseconds: 0)
    defer { other.close() }
    try other.execute("BEGIN IMMEDIATE")
    let error = #expect(throws: StoreError.self) { try store.enqueue(["a"], now: file.now) }
    #expect(error?.kind == .unavailable && error?.message.contains("another program is writing") == true)
    try other.execute("ROLLBACK")
    try file.open(store)
    try store.enqueue(["a"], now: file.now)
  }

  /// Enqueues until the store refuses.
  private func fill(_ store: SQLiteJobStore, _ file: SQLiteFile) throws -> (StoreError, kept: [String]) {
    var kept: [String] = []
    while kept.count < 10_000 {
      let ids = (0..<50).map { "job-\(kept.count + $0)" }
      do { try store.enqueue(ids, bytes: 500, now: file.now) } catch let error as StoreError { return (error, kept) }
      kept += ids
    }
    throw SQLiteFailure(code: 0, detail: "never full")
  }
}
