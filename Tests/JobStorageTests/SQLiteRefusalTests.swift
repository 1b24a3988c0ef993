import JobStorage
import JobStorageSQLite
import PipelineModel
import PluginTestKit
import Testing

@testable import JobStorageSQLite

/// Files that are not ours to use, and addresses that are none.
@Suite struct SQLiteRefusalTests {
  @Test func aNewerSchemaIsRefused() throws {
    let file = try SQLiteFile()
    try file.opened().close()
    try file.execute("PRAGMA user_version = \(Schema.steps.count + 1)")
    let error = try file.refusal()
    #expect(error.kind == .newerSchema && error.message.contains("schema \(Schema.steps.count + 1)"))
    #expect(try file.value("PRAGMA user_version") == "\(Schema.steps.count + 1)")
  }

  @Test func theDatabaseOfAnotherProgramIsLeftAlone() throws {
    for sql in ["CREATE TABLE songs(title TEXT)", "PRAGMA application_id = 7", "PRAGMA user_version = 3"] {
      let file = try SQLiteFile()
      try file.execute(sql)
      let before = try contents(of: file.path)
      let error = try file.refusal()
      #expect(error.kind == .misconfigured && error.message.contains("another program"), "\(sql)")
      #expect(try contents(of: file.path) == before, "\(sql)")
    }
  }

  /// Of one byte SQLite says that the file is empty.
  @Test(arguments: [2, 90, 5_000]) func aFileThatIsNoDatabaseIsLeftAlone(_ size: Int) throws {
    let file = try SQLiteFile()
    let text = Array(repeating: UInt8(ascii: "x"), count: size)
    try file.folder.write(text, to: "jobs.db")
    let error = try file.refusal()
    #expect(error.kind == .misconfigured && error.message.contains("not a SQLite database"))
    #expect(try contents(of: file.path) == text)
  }

  @Test func theFileOfAnotherPipelineIsRefused() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue(["a"], now: file.now)
    store.close()
    let error = try file.refusal(pipeline: "crates")
    #expect(error.kind == .misconfigured && error.message.contains("holds pipeline 'boxes', not 'crates'"))
    try file.open(store)
    #expect(try store.claim(now: file.now).count == 1)
  }

  @Test func aMissingFolderIsNamedAsSuch() throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteJobStore(uri: "sqlite:\(folder.path)/missing/jobs.db")
    let error = #expect(throws: StoreError.self) { try open(store) }
    #expect(error?.kind == .misconfigured && error?.message.contains("the folder does not exist") == true)
  }

  @Test func aFolderIsNoFile() throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteJobStore(uri: "sqlite:\(folder.path)")
    let error = #expect(throws: StoreError.self) { try open(store) }
    #expect(error?.kind == .misconfigured && error?.message.contains("is a folder") == true)
  }

  @Test func aDamagedFileIsToldApartFromAForeignOne() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue((0..<2_000).map { "job-\($0)" }, bytes: 100, now: file.now)
    store.close()
    var bytes = try contents(of: file.path)
    for offset in 8_192..<bytes.count { bytes[offset] = 0x5a }
    try file.folder.write(bytes, to: "jobs.db")
    let error = #expect(throws: StoreError.self) {
      try file.open(store)
      _ = try store.claim(now: file.now)
    }
    #expect(error?.kind == .corrupt && error?.message.contains("damaged") == true)
  }

  @Test(arguments: [
    ("sqlite", "must begin with 'sqlite:'"), ("redis://host", "must begin with 'sqlite:'"),
    ("sqlite:", "names no file"), ("sqlite:?synchronous=full", "names no file"), ("sqlite:/tmp/", "names no file"),
    ("sqlite::memory:", "write memory:"), ("sqlite:/x?", "'' is not an option"),
    ("sqlite:/x?sync=full", "'sync' is not an option"), ("sqlite:/x?synchronous", "write full or normal"),
    ("sqlite:/x?synchronous=off", "synchronous is 'off'"), ("sqlite:/x?busy_timeout=-1", "busy_timeout is '-1'"),
    ("sqlite:/x?busy_timeout=5s", "busy_timeout is '5s'"), ("sqlite:/x?max_bytes=5", "max_bytes is '5'"),
    ("sqlite:/x?synchronous=full&&", "'' is not an option"),
  ])
  func aWrongAddressIsNamed(_ uri: String, _ words: String) throws {
    let error = #expect(throws: StoreError.self) { try SQLiteJobStore(uri: uri) }
    #expect(error?.kind == .misconfigured && error?.message.contains(words) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("'\(uri)'") == true)
  }

  @Test func anAddressIsShownWithoutItsOptions() throws {
    let store = try SQLiteJobStore(uri: "sqlite:/x/y.db?synchronous=full&busy_timeout=0&max_bytes=1048576")
    #expect(store.address == "sqlite:/x/y.db" && !store.answersAtOnce)
  }

  private func open(_ store: SQLiteJobStore) throws {
    try store.open(
      PipelineDefinition(name: "boxes", phases: [PhaseDefinition(jobType: "cut")]), owner: "owner",
      now: Timestamp(milliseconds: 0))
  }
}
