import JobStorage
import JobStorageSQLite
import PipelineModel
import PluginTestKit
import Testing

@testable import JobStorageSQLite

/// A place for a database that several stores, or other programs, are tried on.
final class SQLiteFile {
  let folder: TemporaryFolder
  let path: String
  let now = Timestamp(milliseconds: 1_800_000_000_000)

  init() throws {
    folder = try TemporaryFolder()
    path = "\(folder.path)/jobs.db"
  }

  func store(_ options: String = "synchronous=normal") throws -> SQLiteJobStore {
    try SQLiteJobStore(uri: "sqlite:\(path)?\(options)")
  }

  /// Opens `store` on a pipeline of two phases.
  func open(_ store: SQLiteJobStore, pipeline: String = "boxes", owner: String = "owner-1") throws {
    try store.open(
      PipelineDefinition(name: pipeline, phases: ["cut", "glue"].map { PhaseDefinition(jobType: $0) }), owner: owner,
      now: now)
  }

  func opened(_ options: String = "synchronous=normal") throws -> SQLiteJobStore {
    let store = try store(options)
    try open(store)
    return store
  }

  /// What another program might do to the file.
  func execute(_ statements: String...) throws {
    let connection = try Connection(file: path, busyTimeoutMilliseconds: 1_000)
    defer { connection.close() }
    for sql in statements { try connection.execute(sql) }
  }

  func value(_ sql: String) throws -> String {
    let connection = try Connection(file: path, busyTimeoutMilliseconds: 1_000)
    defer { connection.close() }
    return try #require(try connection.value(of: sql) { $0.text(0) })
  }

  /// The error of opening a new store there; it must be one line that names the file.
  func refusal(pipeline: String = "boxes", sourceLocation: SourceLocation = #_sourceLocation) throws -> StoreError {
    let store = try store()
    let error = #expect(throws: StoreError.self, sourceLocation: sourceLocation) {
      try open(store, pipeline: pipeline)
    }
    let refusal = try #require(error, sourceLocation: sourceLocation)
    #expect(refusal.message.hasPrefix("sqlite:\(path): "), sourceLocation: sourceLocation)
    #expect(!refusal.message.contains("\n"), sourceLocation: sourceLocation)
    return refusal
  }
}

extension SQLiteJobStore {
  func enqueue(_ ids: [String], bytes: Int = 2, now: Timestamp) throws {
    var turn = StoreTurn(now: now)
    turn.enqueues = ids.map { NewJob(id: .named($0), instructions: Array(repeating: 0x20, count: bytes)) }
    _ = try apply(turn)
  }

  func claim(limit: Int = 1_000, worker: String = "worker-1", now: Timestamp) throws -> [ClaimedJob] {
    var turn = StoreTurn(now: now)
    turn.claims = [Claim(phase: 0, worker: .named(worker), limit: limit)]
    return try apply(turn).claims[0]
  }

  func allJobs(_ filter: JobFilter = JobFilter()) throws -> [JobRecord] {
    var jobs: [JobRecord] = []
    var cursor: String?
    repeat {
      let page = try self.jobs(matching: filter, after: cursor, limit: 1_000)
      jobs += page.jobs
      cursor = page.next
    } while cursor != nil
    return jobs
  }
}
