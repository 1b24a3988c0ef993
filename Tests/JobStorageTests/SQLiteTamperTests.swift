import JobStorage
import JobStorageSQLite
import PipelineModel
import Testing

@testable import JobStorageSQLite

/// Stored values that this program never wrote: nothing may trap on them, nor take memory without bound.
@Suite struct SQLiteTamperTests {
  @Test func mutatedTimelinesAreReadOrRefused() throws {
    var random = SeededNumbers(seed: 14)
    var writer = PackedWriter()
    for number in 0..<20 {
      Timeline.write(
        AttemptRecord(
          phase: number, number: number, worker: .named("w\(number)"), plugin: "0123456789ab",
          startedAt: Timestamp(milliseconds: 1_800_000_000_000), endedAt: Timestamp(milliseconds: .max),
          outcome: AttemptOutcome.allCases[number % AttemptOutcome.allCases.count]), key: number, to: &writer)
    }
    #expect(Timeline.attempts(in: writer.bytes)?.count == 20)
    var refused = 0
    for _ in 0..<20_000 {
      let bytes = random.mutated(writer.bytes)
      let attempts = Timeline.attempts(in: bytes)
      if attempts == nil { refused += 1 }
      #expect((attempts?.count ?? 0) <= Timeline.attemptsKept)
      #expect(Timeline.withoutOldest(bytes).count <= bytes.count)
    }
    #expect((1_000..<20_000).contains(refused))
  }

  @Test func mutatedHistogramsAreReadOrRefused() throws {
    var random = SeededNumbers(seed: 15)
    var histogram = DurationHistogram()
    for microseconds in [1, 1_000, Int64.max] { histogram.record(microseconds: microseconds) }
    var writer = PackedWriter()
    writer.add(histogram)
    var sum = DurationHistogram()
    for _ in 0..<20_000 {
      var reader = PackedReader(random.mutated(writer.bytes))
      guard let read = reader.histogram() else { continue }
      sum.add(read)
      _ = sum.percentile(0.9)
    }
    var short = DurationHistogram()
    short.counts = [1]
    sum.add(short)
    short.add(sum)
    #expect(short.counts.count == 1 && sum.counts.count == DurationHistogram.bounds.count + 1)
  }

  @Test func packedTextsAreNoLongerThanWhatIsThere() {
    var random = SeededNumbers(seed: 16)
    for _ in 0..<20_000 {
      let bytes = random.mutated(Array(repeating: 0xff, count: Int(random.next() % 24)))
      var reader = PackedReader(bytes)
      #expect((reader.text()?.utf8.count ?? 0) <= bytes.count * 3)
      while reader.signed() != nil {}
    }
  }

  /// Every number of every table, one after the other, with the ends of what it can hold.
  @Test(arguments: [Int64.min, -1, 0, 1 << 33, .max])
  func extremeNumbersInAnyColumnTrapNowhere(_ value: Int64) throws {
    for (table, column) in Self.columns {
      let file = try SQLiteFile()
      try fill(file)
      try file.execute("UPDATE OR IGNORE \(table) SET \(column) = \(value)")
      let store = try file.store()
      var refused: [StoreError] = []
      for step in steps(store, file) {
        do {
          try step()
        } catch let error as StoreError {
          refused.append(error)
        }
      }
      for error in refused { #expect(!error.message.contains("\n"), "\(table).\(column)") }
    }
  }

  private static let columns = [
    ("store", ["paused", "last_token", "last_serial", "succeeded", "cancelled", "finished_bytes", "dead_bytes"]),
    ("phases", ["key", "paused", "waiting", "delayed", "running", "dead"]),
    (
      "jobs",
      [
        "serial", "state", "phase", "priority", "place", "attempt", "failures", "crashes", "losses", "has_error",
        "enqueued_at", "updated_at", "queued_at", "due_at", "size", "timeline_count",
      ]
    ), ("queue", ["place", "serial"]), ("delayed", ["due_at", "serial"]),
    ("leases", ["token", "serial", "claimed_at"]), ("finished", ["place", "state", "serial"]),
    ("metrics", ["minute", "phase", "enqueued", "started", "succeeded", "failed", "retried", "crashed", "dead"]),
  ].flatMap { table, columns in columns.map { (table, $0) } }

  /// One job in each state.
  private func fill(_ file: SQLiteFile) throws {
    let store = try file.opened()
    defer { store.close() }
    try store.enqueue(["succeeded", "dead", "cancelled", "running"], now: file.now)
    let jobs = try store.claim(now: file.now)
    let attempt = AttemptRecord(
      phase: 0, number: 1, worker: .named("w"), plugin: "", startedAt: file.now, endedAt: file.now, outcome: .failed)
    var turn = StoreTurn(now: file.now)
    turn.settlements = [
      jobs[0].succeeded(attempt),
      Settlement(
        job: jobs[1].id, token: jobs[1].token, from: 0, counters: jobs[1].counters, attempt: attempt,
        effect: .bury(JobError(type: "T", message: "m"))),
    ]
    turn.metrics = [PhaseMetrics(minute: 1, phase: 0)]
    turn.enqueues = [
      NewJob(id: .named("waiting"), instructions: [1]),
      NewJob(id: .named("delayed"), notBefore: file.now + 1_000, instructions: [2]),
    ]
    _ = try store.apply(turn)
    _ = try store.cancel(jobs[2].id, now: file.now)
  }

  private func steps(_ store: SQLiteJobStore, _ file: SQLiteFile) -> [() throws -> Void] {
    let filters = [JobFilter(), JobFilter(states: [.dead]), JobFilter(idPrefix: "d"), JobFilter(errorContains: "m")]
    let looks: [() throws -> Void] = filters.flatMap { filter -> [() throws -> Void] in
      [
        { _ = try store.jobs(matching: filter, after: nil, limit: 9, maximumBytes: .max) },
        { _ = try store.count(matching: filter, after: nil, limit: 9) },
      ]
    }
    let metrics: () throws -> Void = {
      var turn = StoreTurn(now: file.now)
      turn.metrics = [PhaseMetrics(minute: 1, phase: 0)]
      turn.promotionLimit = 9
      turn.promotionTime = Timestamp(milliseconds: .max)
      _ = try store.apply(turn)
    }
    let changes: [() throws -> Void] = [
      { try store.enqueue(["new-1", "new-2"], now: file.now) },
      {
        var turn = StoreTurn(now: file.now)
        turn.settlements = try store.runningJobs().map(\.givenBack)
        turn.settlements += try store.claim(limit: 1, now: file.now).map { $0.givenBack() }
        _ = try store.apply(turn)
      }, { _ = try store.requeue(matching: JobFilter(), limit: 9, now: file.now) },
      { _ = try store.cancel(.named("running"), now: file.now) },
      { _ = try store.prune(RetentionPolicy(maximumFinished: 0), metricsBefore: .max, limit: 9, now: file.now) },
      { _ = try store.delete(matching: JobFilter(), limit: 9, now: file.now) },
    ]
    let all = [{ _ = try store.counts() }, { _ = try store.paused() }, metrics] + looks + changes
    // Each on a store that is open, whatever the one before did to it.
    return all.map { step in
      {
        try file.open(store)
        try step()
      }
    }
  }
}

/// The same numbers in each run.
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  /// With some bytes changed, cut off or put in.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    for _ in 0...(next() % 4) {
      let place = result.isEmpty ? 0 : Int(next() % UInt64(result.count))
      switch next() % 4 {
      case 0 where !result.isEmpty: result[place] = UInt8(truncatingIfNeeded: next())
      case 1 where !result.isEmpty: result[place] ^= 1 << UInt8(next() % 8)
      case 2: result.removeSubrange(place...)
      default: result.insert(contentsOf: Array(repeating: 0xff, count: Int(next() % 12)), at: place)
      }
    }
    return result
  }
}
