import Glibc
import JobStorage
import JobStorageSQLite
import PipelineModel
import Testing

@Suite struct SQLiteOwnershipTests {
  @Test func aSecondOwnerIsRefusedWhileTheFirstLives() throws {
    let file = try SQLiteFile()
    let first = try file.opened()
    try first.enqueue(["a"], now: file.now)
    let error = try file.refusal()
    #expect(error.kind == .ownedByAnother)
    #expect(error.message.contains("owner-1 (pid \(getpid()))"))
    #expect(try first.claim(now: file.now).count == 1)
    first.close()
    let second = try file.store()
    try file.open(second, owner: "owner-2")
    #expect(try second.runningJobs().count == 1)
    #expect(try file.refusal().message.contains("owner-2"))
  }

  @Test func aStoreThatIsLetGoGivesUpItsPlace() throws {
    let file = try SQLiteFile()
    _ = try file.opened()
    _ = try file.opened()
  }

  @Test func openingAgainNeedsNoClosing() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue(["a"], now: file.now)
    try file.open(store)
    #expect(try store.claim(now: file.now).count == 1)
  }

  /// A child between fork and exec has every descriptor of its parent's.
  @Test func aChildThatIsBeingSpawnedDoesNotKeepTheLock() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    let copies = descriptors(of: "\(file.path).lock").map { dup($0) }
    defer { for copy in copies { close(copy) } }
    #expect(!copies.isEmpty)
    store.close()
    try file.open(store)
  }

  @Test func aFailureDoesNotGiveUpTheLock() throws {
    let file = try SQLiteFile()
    let store = try file.opened("busy_timeout=0")
    try file.execute("DROP TABLE leases")
    try store.enqueue(["a"], now: file.now)
    #expect(throws: StoreError.self) { try store.claim(now: file.now) }
    #expect(try file.refusal().kind == .ownedByAnother)
    store.close()
    #expect(try file.refusal().kind == .corrupt)
  }

  @Test func anOwnerNoticesThatItsLockFileIsGone() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.keepOwnership(now: file.now)
    unlink("\(file.path).lock")
    let error = #expect(throws: StoreError.self) { try store.keepOwnership(now: file.now) }
    #expect(error?.kind == .ownedByAnother)
    #expect(throws: StoreError.self) { try store.counts() }
    try file.open(store)
    try store.keepOwnership(now: file.now)
  }

  private func descriptors(of path: String) -> [Int32] {
    var named = stat()
    guard stat(path, &named) == 0 else { return [] }
    return (0..<4_096).filter { descriptor in
      var status = stat()
      return fstat(descriptor, &status) == 0 && status.st_ino == named.st_ino && status.st_dev == named.st_dev
    }
  }
}
