import Glibc
import JobStorage
import PipelineModel
import Testing

@testable import JobStorageSQLite

/// Disks that lack something.
@Suite struct SQLiteDiskTests {
  private let now = Timestamp(milliseconds: 1_800_000_000_000)

  private func store(on disk: SmallDisk, _ options: String = "synchronous=normal") throws -> SQLiteJobStore {
    try SQLiteJobStore(uri: "sqlite:\(disk.path)/jobs.db?\(options)")
  }

  private func open(_ store: SQLiteJobStore) throws {
    let pipeline = try PipelineDefinition(name: "boxes", phases: [PhaseDefinition(jobType: "cut")])
    try store.open(pipeline, owner: "owner", now: now)
  }

  /// One for the folder; then the database, its lock, its log and the log's index.
  @Test(arguments: 1...4)
  func aDiskWithoutInodesIsNamedAsSuch(_ inodes: Int) throws {
    let disk = try SmallDisk("nr_inodes=\(inodes)")
    let store = try store(on: disk)
    let error = #expect(throws: StoreError.self) { try open(store) }
    #expect(error?.kind == .refusesWrites && error?.message.contains("no inodes left") == true)
  }

  @Test(arguments: ["4k", "40k", "80k"])
  func aFullDiskIsNamedAsSuch(_ size: String) throws {
    let disk = try SmallDisk("size=\(size)")
    let store = try store(on: disk)
    let error = #expect(throws: StoreError.self) { try open(store) }
    #expect(error?.kind == .refusesWrites && error?.message.contains("disk full") == true)
  }

  @Test(arguments: [false, true])
  func aReadOnlyFileSystemIsNamedAsSuch(_ hasFile: Bool) throws {
    let disk = try SmallDisk("size=4m")
    if hasFile {
      let store = try store(on: disk)
      try open(store)
      store.close()
    }
    try disk.makeReadOnly()
    let error = #expect(throws: StoreError.self) { try open(store(on: disk)) }
    #expect(error?.kind == .refusesWrites && error?.message.contains("the file system is read-only") == true)
  }

  /// Without a look at the disk the log would grow to 16 MiB, and then there would be no room to write it back.
  @Test func theLogIsWrittenBackWhereThereIsLittleRoom() throws {
    let disk = try SmallDisk("size=3m")
    let store = try store(on: disk)
    try open(store)
    let reader = try #require(try store.makeReader())
    #expect(try reader.counts().phases[0].waiting == 0)
    #expect(try turns(1_000, store) == 1_000)
    #expect(try reader.counts().phases[0].waiting == 0)
  }

  @Test func workGoesOnWhenThereIsRoomAgain() throws {
    let disk = try SmallDisk("size=3m")
    let store = try store(on: disk)
    try open(store)
    // One that stays connected: the log is not written back when the store closes its own connection.
    let reader = try #require(try store.makeReader())
    #expect(try reader.counts().phases[0].waiting == 0)
    try fill("\(disk.path)/other")
    #expect(try turns(1_000, store) < 1_000)
    #expect(throws: StoreError.self) {
      try open(store)
      _ = try store.apply(StoreTurn(now: now))
      try store.enqueue(["full"], bytes: 100_000, now: now)
    }
    #expect(unlink("\(disk.path)/other") == 0)
    try open(store)
    #expect(try turns(1_000, store) == 1_000)
  }

  /// Takes all the room that is left.
  private func fill(_ path: String) throws {
    let file = Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    defer { close(file) }
    let block = [UInt8](repeating: 0, count: 4_096)
    while write(file, block, block.count) == block.count {}
    try #require(errno == ENOSPC)
  }

  /// - Returns: how many of them the disk had room for.
  private func turns(_ count: Int, _ store: SQLiteJobStore) throws -> Int {
    for number in 0..<count {
      do throws(StoreError) {
        var turn = StoreTurn(now: now)
        turn.enqueues = [NewJob(id: .named("a"), instructions: Array(repeating: 0x20, count: 10_000))]
        _ = try store.apply(turn)
        _ = try store.delete(matching: JobFilter(id: .named("a")), limit: 1, now: now)
      } catch {
        #expect(error.kind == .refusesWrites)
        return number
      }
    }
    return count
  }

  @Test(arguments: ["-wal", "-shm", ".lock"])
  func whatStandsInTheWayBesideTheDatabaseIsNamed(_ ending: String) throws {
    let disk = try SmallDisk("size=4m")
    #expect(mkdir("\(disk.path)/jobs.db\(ending)", 0o755) == 0)
    let error = #expect(throws: StoreError.self) { try open(store(on: disk)) }
    #expect(error?.kind == .misconfigured)
    #expect(error?.message.contains("jobs.db\(ending) is not a regular file") == true)
  }
}
