import JobStorage
import JobStorageSQLite
import PipelineModel
import PluginTestKit
import Testing

@testable import JobStorageSQLite

@Suite struct SQLiteSchemaTests {
  /// Version 0 with our mark: what a first start leaves that was interrupted before its tables were made.
  @Test func anEmptyFileOfOursIsFilled() throws {
    let file = try SQLiteFile()
    try file.execute("PRAGMA application_id = \(Schema.applicationID)")
    let store = try file.opened()
    try store.enqueue(["a"], now: file.now)
    #expect(try store.claim(now: file.now).count == 1)
    #expect(try file.value("PRAGMA user_version") == "\(Schema.steps.count)")
  }

  /// As the version before left it: dead jobs among the others, no losses.
  @Test func theFirstSchemaIsBroughtUpToDate() throws {
    let file = try SQLiteFile()
    let connection = try Connection(file: file.path, busyTimeoutMilliseconds: 0)
    try Schema.migrate(connection, from: 0, steps: Array(Schema.steps.prefix(1)))
    try connection.execute("INSERT INTO store VALUES ('boxes', 0, 5, 3, 1, 0, 12)")
    try connection.execute("INSERT INTO phases VALUES (0, 'cut#0', 0, 0, 0, 0, 2), (1, 'glue#0', 0, 0, 0, 0, 0)")
    for (serial, state, bytes) in [(1, JobState.dead, 4), (2, .succeeded, 3), (3, .dead, 5)] {
      try connection.execute(
        """
        INSERT INTO jobs VALUES
          (\(serial), 'job-\(serial)', \(state.rawValue), 0, 0, \(serial), 1, 1, 0, 1, 1, 1, NULL, \(bytes), 0, x'')
        """)
      try connection.execute("INSERT INTO instructions VALUES (\(serial), zeroblob(\(bytes)))")
      try connection.execute("INSERT INTO finished VALUES (\(serial), \(state.rawValue), \(serial))")
    }
    try connection.execute("INSERT INTO errors VALUES (3, 'Broken', 'it broke', '', '')")
    connection.close()
    let store = try file.opened()
    #expect(try store.counts().deadBytes == 9)
    #expect(try store.allJobs(JobFilter(errorContains: "broke")).map(\.id.text) == ["job-3"])
    let policy = RetentionPolicy(maximumAgeMilliseconds: .max, maximumBytes: 3, maximumDead: 1)
    #expect(try store.prune(policy, metricsBefore: 0, limit: 9, now: file.now) == 1)
    #expect(try store.allJobs().map(\.id.text) == ["job-3", "job-2"])
    #expect(try store.requeue(matching: JobFilter(), limit: 9, now: file.now) == [0: 1])
    #expect(try store.counts().deadBytes == 0)
  }

  /// Leases had an end in it, which nobody read.
  @Test func leasesOfTheSecondSchemaAreKept() throws {
    let file = try SQLiteFile()
    let connection = try Connection(file: file.path, busyTimeoutMilliseconds: 0)
    try Schema.migrate(connection, from: 0, steps: Array(Schema.steps.prefix(2)))
    try connection.execute(
      """
      INSERT INTO store(pipeline, paused, last_token, last_serial, succeeded, cancelled, finished_bytes)
      VALUES ('boxes', 0, 8, 2, 0, 0, 0)
      """)
    try connection.execute("INSERT INTO phases VALUES (0, 'cut#0', 0, 0, 0, 2, 0), (1, 'glue#0', 0, 0, 0, 0, 0)")
    for (serial, token) in [(1, 7), (2, 8)] {
      try connection.execute(
        """
        INSERT INTO jobs(serial, id, state, phase, priority, place, attempt, failures, crashes, losses, enqueued_at,
          updated_at, queued_at, size, timeline_count, timeline)
        VALUES (\(serial), 'job-\(serial)', 1, 0, 0, \(serial), 1, 1, 0, 3, 1, 1, 1, 1, 0, x'')
        """)
      try connection.execute("INSERT INTO instructions VALUES (\(serial), x'2A')")
      try connection.execute("INSERT INTO leases VALUES (\(token), \(serial), 'w\(serial)', 99, 4\(serial))")
    }
    connection.close()
    let store = try file.opened()
    let expected = [(1, 7), (2, 8)].map { serial, token in
      RunningJob(
        id: .named("job-\(serial)"), token: LeaseToken(UInt64(token)), phase: 0, worker: .named("w\(serial)"),
        attempt: 2, failures: 1, crashes: 0, losses: 3, claimedAt: Timestamp(milliseconds: Int64(40 + serial)))
    }
    #expect(try store.runningJobs().sorted { $0.token < $1.token } == expected)
    var turn = StoreTurn(now: file.now)
    turn.settlements = expected.map(\.givenBack)
    #expect(try store.apply(turn).settlements == [.recorded, .recorded])
    #expect(try store.claim(now: file.now).map(\.id.text) == ["job-1", "job-2"])
    #expect(try store.runningJobs().count == 2)
  }

  @Test func aLaterStepKeepsTheJobs() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue(["a", "b"], now: file.now)
    store.close()
    let connection = try Connection(file: file.path, busyTimeoutMilliseconds: 0)
    defer { connection.close() }
    let later = Schema.steps + [["ALTER TABLE jobs ADD COLUMN note TEXT"], ["UPDATE jobs SET note = 'seen'"]]
    try Schema.migrate(connection, from: Schema.steps.count, steps: later)
    #expect(try connection.value(of: "PRAGMA user_version") { $0.int(0) } == Schema.steps.count + 2)
    #expect(try connection.value(of: "SELECT count(*) FROM jobs WHERE note = 'seen'") { $0.int(0) } == 2)
  }

  @Test func aStepThatFailsLeavesTheVersionBefore() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue(["a"], now: file.now)
    store.close()
    let connection = try Connection(file: file.path, busyTimeoutMilliseconds: 0)
    let broken = Schema.steps + [["DELETE FROM jobs", "DELETE FROM nowhere"]]
    #expect(throws: SQLiteFailure.self) { try Schema.migrate(connection, from: Schema.steps.count, steps: broken) }
    connection.close()
    try file.open(store)
    #expect(try store.claim(now: file.now).map(\.id.text) == ["a"])
  }

  @Test func placesStandInTheOrderOfPhaseAndPriority() {
    var last: Int64 = -1
    for key in [0, 1, 2, 999, QueuePlace.maximumPhaseKeys - 1] {
      let phase = QueuePlace.range(ofPhaseKey: key)
      for priority in NewJob.priorities.reversed() {
        let line = QueuePlace.line(phaseKey: key, priority: priority)
        #expect(line.lowerBound > last && phase.contains(line.lowerBound) && phase.contains(line.upperBound))
        #expect(line.contains(QueuePlace.middle(of: line)))
        last = line.upperBound
      }
      #expect(last == phase.upperBound)
    }
    #expect(last == .max)
  }

  @Test func packedValuesAreReadBack() {
    let numbers: [UInt64] = [0, 1, 127, 128, 300, 1 << 35, .max]
    let signed: [Int64] = [0, -1, 1, -64, 64, .min, .max]
    var writer = PackedWriter()
    for number in numbers { writer.add(number) }
    for number in signed { writer.add(signed: number) }
    writer.add("ä\u{0}b")
    writer.add("")
    var reader = PackedReader(writer.bytes)
    #expect(numbers.map { _ in reader.number() } == numbers)
    #expect(signed.map { _ in reader.signed() } == signed)
    #expect(reader.text() == "ä\u{0}b" && reader.text() == "" && reader.isAtEnd && reader.number() == nil)
    for length in 0..<writer.bytes.count {
      var short = PackedReader(writer.bytes[..<length])
      while short.text() != nil {}
    }
  }
}
