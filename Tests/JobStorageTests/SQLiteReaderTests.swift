import JobStorage
import JobStorageSQLite
import PipelineModel
import PluginTestKit
import Testing

@testable import JobStorageSQLite

/// Readers beside the connection that writes.
@Suite struct SQLiteReaderTests {
  @Test func aReaderInTheMiddleOfALookKeepsNobodyFromWriting() throws {
    let file = try SQLiteFile()
    let store = try file.opened("busy_timeout=0")
    try store.enqueue(["a"], now: file.now)
    let reader = try Connection(file: file.path, busyTimeoutMilliseconds: 0, isReader: true)
    defer { reader.close() }
    let seen = try reader.snapshot(unless: { false }) { () throws(SQLiteFailure) in
      let count = "SELECT count(*) FROM jobs"
      let before = try reader.value(of: count) { $0.int(0) }
      do { try store.enqueue(["b"], now: file.now) } catch { throw SQLiteFailure(code: 0, detail: "\(error)") }
      return (before, try reader.value(of: count) { $0.int(0) })
    }
    #expect(seen == (1, 1))
    #expect(try reader.value(of: "SELECT count(*) FROM jobs") { $0.int(0) } == 2)
    #expect(throws: SQLiteFailure.self) { try reader.execute("DELETE FROM jobs") }
  }

  /// Each look over before the next commit: SQLite's own checkpoints would do, but for the moment at which they are made.
  @Test func theLogBeginsAnewAlthoughSomebodyAlwaysReads() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    let readers = try (0..<2).map { _ in try #require(try store.makeReader()) }
    var longest = 0
    for round in 0..<120 {
      try store.enqueue(["job-\(round)"], bytes: 1 << 20, now: file.now)
      for reader in readers { #expect(try reader.counts().phases[0].waiting == round + 1) }
      longest = max(longest, try contents(of: file.path + "-wal").count)
    }
    #expect(longest < 24 << 20)
  }

  @Test func aReaderThatIsInsideHoldsTheLogBackOnlyUntilItLeaves() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    let gate = LogGate()
    let writer = try Connection(file: file.path, busyTimeoutMilliseconds: 0)
    let reader = try Connection(file: file.path, busyTimeoutMilliseconds: 0, isReader: true)
    defer {
      writer.close()
      reader.close()
    }
    writer.watchLog()
    var keeper = LogKeeper(writer, gate, try DatabaseFile.open(SQLiteAddress(uri: "sqlite:\(file.path)")))
    func write() throws {
      try writer.execute("REPLACE INTO instructions VALUES (1, zeroblob(\(2 << 20)))")
      keeper.tend()
    }
    #expect(gate.enter())
    try reader.snapshot(unless: { gate.isUrgent }) { () throws(SQLiteFailure) in
      _ = try reader.value(of: "SELECT count(*) FROM jobs") { $0.int(0) }
      do { for _ in 0..<5 { try write() } } catch { throw SQLiteFailure(code: 0, detail: "\(error)") }
    }
    #expect(writer.logFrames > 4_096 && !gate.isUrgent)
    gate.leave()
    try write()
    try write()
    #expect(writer.logFrames < 2_048)
    _ = store
  }

  @Test func aLogThatIsFarTooLongEndsWhatReadersDo() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue((0..<5_000).map { "job-\($0)" }, now: file.now)
    let gate = LogGate()
    #expect(gate.enter())
    #expect(!gate.close(isUrgent: true))
    let reader = try Connection(file: file.path, busyTimeoutMilliseconds: 0, isReader: true)
    defer { reader.close() }
    let error = #expect(throws: SQLiteFailure.self) {
      try reader.snapshot(unless: { gate.isUrgent }) { () throws(SQLiteFailure) in
        try reader.value(of: "SELECT count(*) FROM jobs a JOIN jobs b ON a.serial <= b.serial") { $0.int(0) }
      }
    }
    #expect(error.map { StoreError($0, operation: "count", address: store.place).kind } == .unavailable)
    #expect(!gate.enter())
    gate.leave()
    #expect(gate.close(isUrgent: false))
    #expect(gate.enter(), "a writer that rests keeps nobody out")
    gate.leave()
    gate.open()
    #expect(gate.enter())
  }

  @Test func aReaderOutlivesAFailureOfTheStore() throws {
    let file = try SQLiteFile()
    let store = try file.opened("synchronous=normal&max_bytes=1048576")
    let reader = try #require(try store.makeReader())
    try store.enqueue(["a"], now: file.now)
    #expect(throws: StoreError.self) { try store.enqueue(["b"], bytes: 2 << 20, now: file.now) }
    #expect(try reader.job(.named("a")) != nil)
    try file.open(store)
    try store.enqueue(["c"], now: file.now)
    #expect(try reader.job(.named("c")) != nil)
    store.close()
    #expect(try reader.job(.named("c")) != nil)
  }

  @Test func oneUnreadableJobHidesNoOther() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue(["a", "b", "c", "d"], now: file.now)
    try file.execute(
      "UPDATE jobs SET timeline = x'ffffff', timeline_count = 1 WHERE id = 'b'",
      "DELETE FROM instructions WHERE serial = (SELECT serial FROM jobs WHERE id = 'c')",
      "UPDATE jobs SET state = 77 WHERE id = 'd'")
    let reader = try #require(try store.makeReader())
    for looker in [store as any JobReader, reader] {
      let page = try looker.jobs(matching: JobFilter(), after: nil, limit: 10)
      #expect(page.jobs.map(\.id.text) == ["c", "b", "a"] && page.next == nil)
      #expect(page.jobs.map { $0.error?.type } == ["Unreadable", "Unreadable", nil])
      for id in ["b", "c"] {
        let error = #expect(throws: StoreError.self) { try looker.job(.named(id)) }
        #expect(error?.kind == .corrupt && error?.message.contains("'\(id)'") == true)
      }
      #expect(try looker.states(of: ["a", "b", "c", "d"].map { .named($0) }) == [.waiting, .waiting, .waiting, nil])
    }
    // The store stays open, what nobody can work on does not stop those behind it, and it can be deleted.
    try file.execute("UPDATE jobs SET state = \(JobState.waiting.rawValue) WHERE id = 'd'")
    #expect(try store.claim(now: file.now).map(\.id.text) == ["a", "b", "d"])
    let counts = try store.counts()
    #expect(counts.phases[0] == PhaseCounts(running: 3, dead: 1))
    #expect(try store.delete(matching: JobFilter(id: .named("c")), limit: 1, now: file.now) == 1)
    #expect(try store.job(.named("c")) == nil)
  }
}
