import Glibc
import JobStorage
import JobStorageSQLite
import PipelineModel
import PluginTestKit
import Testing

@testable import JobStorageSQLite

/// Links to the database, and what happens to it while it is in use.
@Suite struct SQLiteServedFileTests {
  @Test(arguments: [false, true])
  func aSecondOwnerIsRefusedByWhateverNameItComes(_ isHard: Bool) throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    let other = "\(file.folder.path)/other.db"
    #expect(isHard ? link(file.path, other) == 0 : symlink(file.path, other) == 0)
    let second = try SQLiteJobStore(uri: "sqlite:\(other)")
    let error = #expect(throws: StoreError.self) { try file.open(second) }
    #expect(error?.kind == .ownedByAnother && error?.message.contains("owned by") == true)
    if !isHard { #expect(error?.message.contains("owner-1") == true) }
    try store.enqueue(["a"], now: file.now)
    store.close()
    try file.open(second)
    #expect(try second.claim(now: file.now).count == 1)
    #expect(second.advice.count == (isHard ? 1 : 0))
    #expect(try file.refusal().kind == .ownedByAnother)
  }

  @Test func aLinkToAFileThatIsNotThereMakesIt() throws {
    let file = try SQLiteFile()
    let other = "\(file.folder.path)/other.db"
    #expect(symlink(file.path, other) == 0)
    let store = try SQLiteJobStore(uri: "sqlite:\(other)")
    try file.open(store)
    try store.enqueue(["a"], now: file.now)
    #expect(try file.refusal().kind == .ownedByAnother)
    store.close()
    #expect(try file.opened().claim(now: file.now).count == 1)
  }

  @Test func aDatabaseThatIsMovedAwayTakesNothingMoreUntilItIsBack() throws {
    let file = try SQLiteFile()
    let store = try file.opened("synchronous=full")
    let reader = try #require(try store.makeReader())
    try store.enqueue(["before"], now: file.now)
    #expect(try reader.job(.named("before")) != nil)
    #expect(rename(file.path, file.path + ".away") == 0)
    let error = #expect(throws: StoreError.self) {
      try store.enqueue(["refused"], now: file.now)
      try store.flush()
    }
    #expect(error?.kind == .refusesWrites && error?.isTransient == true)
    #expect(error?.message.contains("moved away") == true && error?.message.contains("damaged") == false)
    for _ in 0..<3 {
      let again = #expect(throws: StoreError.self) { try file.open(store) }
      #expect(again?.kind == .refusesWrites && again?.message == error?.message)
    }
    #expect(access(file.path, F_OK) != 0, "nothing new was made in its place")
    #expect(rename(file.path + ".away", file.path) == 0)
    try file.open(store)
    try store.enqueue(["after"], now: file.now)
    try store.flush()
    #expect(try Set(store.allJobs().map(\.id.text)).isSuperset(of: ["before", "after"]))
    #expect(try reader.job(.named("after")) != nil)
    store.close()
    #expect(try file.value("PRAGMA integrity_check") == "ok")
  }

  /// Without its log, as somebody moves it who knows nothing of the other files.
  @Test func aDatabaseThatIsMovedAwayIsWholeByItself() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue((0..<50).map { "job-\($0)" }, now: file.now)
    let away = "\(file.folder.path)/away.db"
    #expect(rename(file.path, away) == 0)
    #expect(throws: StoreError.self) { try store.keepOwnership(now: file.now) }
    store.close()
    let moved = try SQLiteJobStore(uri: "sqlite:\(away)")
    try file.open(moved)
    #expect(try moved.claim(now: file.now).count == 50)
  }

  @Test(arguments: [false, true])
  func aDatabaseThatIsRemovedTakesNothingMore(_ isIdle: Bool) throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue(["kept"], now: file.now)
    for name in ["", "-wal", "-shm", ".lock"] { #expect(unlink(file.path + name) == 0) }
    let error = #expect(throws: StoreError.self) {
      if isIdle { try store.keepOwnership(now: file.now) } else { try store.enqueue(["refused"], now: file.now) }
    }
    #expect(error?.kind == .refusesWrites && error?.message.contains("was removed while in use") == true)
    #expect(throws: StoreError.self) { try file.open(store) }
    #expect(access(file.path, F_OK) != 0)
    // The way out that the message names.
    let words = try #require(error?.message)
    let source = try #require(words.split(separator: "'").first { $0.hasPrefix("cp ") }?.split(separator: " ")[1])
    let saved = try contents(of: String(source))
    store.close()
    try file.folder.write(saved, to: "jobs.db")
    #expect(try file.opened().job(.named("kept")) != nil)
  }

  @Test func aDatabaseThatIsReplacedTakesNothingMore() throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    try store.enqueue(["a"], now: file.now)
    #expect(rename(file.path, file.path + ".away") == 0)
    try file.folder.write([], to: "jobs.db")
    let error = #expect(throws: StoreError.self) { try store.enqueue(["b"], now: file.now) }
    #expect(error?.kind == .refusesWrites && error?.message.contains("replaced by another file") == true)
    #expect(throws: StoreError.self) { try file.open(store) }
    #expect(try contents(of: file.path).isEmpty)
    store.close()
    try file.open(store)
    #expect(try store.counts().phases[0].waiting == 0)
  }

  @Test func aLinkThatLeadsElsewhereTakesNothingMore() throws {
    let file = try SQLiteFile()
    let other = "\(file.folder.path)/other.db"
    #expect(symlink(file.path, other) == 0)
    let store = try SQLiteJobStore(uri: "sqlite:\(other)")
    try file.open(store)
    unlink(other)
    let error = #expect(throws: StoreError.self) {
      try store.enqueue(["a"], now: file.now)
      try store.flush()
    }
    #expect(error?.kind == .refusesWrites)
    #expect(symlink(file.path, other) == 0)
    try file.open(store)
    try store.enqueue(["b"], now: file.now)
  }

  @Test(arguments: ["-wal", "-shm"])
  func aLogThatIsRemovedLosesNothing(_ ending: String) throws {
    let file = try SQLiteFile()
    let store = try file.opened()
    let reader = try #require(try store.makeReader())
    try store.enqueue(["before"], now: file.now)
    #expect(try reader.counts().phases[0].waiting == 1)
    #expect(unlink(file.path + ending) == 0)
    let error = #expect(throws: StoreError.self) { try store.enqueue(["during"], now: file.now) }
    #expect(error?.kind == .refusesWrites && error?.message.contains("log") == true)
    try file.open(store)
    try store.enqueue(["after"], now: file.now)
    #expect(try reader.job(.named("before")) != nil && reader.job(.named("after")) != nil)
    store.close()
    reader.close()
    #expect(try file.value("PRAGMA integrity_check") == "ok")
    #expect(try file.opened().job(.named("before")) != nil)
  }

  /// The log is then all there is of what was stored meanwhile.
  @Test func aLogThatIsRemovedIsKeptUntilNobodyIsInTheWay() throws {
    let file = try SQLiteFile()
    let store = try file.opened("busy_timeout=0")
    let other = try Connection(file: file.path, busyTimeoutMilliseconds: 0)
    try other.execute("BEGIN")
    #expect(try other.value(of: "SELECT count(*) FROM jobs") { $0.int(0) } == 0)
    try store.enqueue(["before"], now: file.now)
    try store.flush()
    for ending in ["-wal", "-shm"] { #expect(unlink(file.path + ending) == 0) }
    let error = #expect(throws: StoreError.self) { try store.keepOwnership(now: file.now) }
    #expect(error?.kind == .refusesWrites && error?.message.contains("its log cannot be saved before") == true)
    #expect(throws: StoreError.self) { try file.open(store) }
    other.close()
    try file.open(store)
    #expect(try store.job(.named("before")) != nil)
    store.close()
    #expect(try file.value("PRAGMA integrity_check") == "ok")
    #expect(try file.opened().job(.named("before")) != nil)
  }

  @Test(arguments: ["a#b", "a%20b", "a b", "ä", "a&b=c", "'\"", "\\"])
  func aPathMayHoldAlmostAnything(_ name: String) throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteJobStore(uri: "sqlite:\(folder.path)/\(name)")
    let pipeline = try PipelineDefinition(name: "boxes", phases: [PhaseDefinition(jobType: "cut")])
    try store.open(pipeline, owner: "owner", now: Timestamp(milliseconds: 0))
    #expect(access("\(folder.path)/\(name)", F_OK) == 0)
  }

  @Test func aPathOfTwoLinesIsNamedInOne() throws {
    let store = try SQLiteJobStore(uri: "sqlite:/nowhere\n/x.db")
    #expect(store.address == "sqlite:/nowhere\\u{a}/x.db")
    let pipeline = try PipelineDefinition(name: "boxes", phases: [PhaseDefinition(jobType: "cut")])
    let error = #expect(throws: StoreError.self) {
      try store.open(pipeline, owner: "owner", now: Timestamp(milliseconds: 0))
    }
    #expect(error?.message.contains("\n") == false && error?.message.contains("folder does not exist") == true)
    let question = #expect(throws: StoreError.self) { try SQLiteJobStore(uri: "sqlite:/x?y.db") }
    #expect(question?.message.contains("cannot have a '?'") == true)
  }

  @Test func aDeviceIsNoFile() throws {
    let store = try SQLiteJobStore(uri: "sqlite:/dev/null")
    let pipeline = try PipelineDefinition(name: "boxes", phases: [PhaseDefinition(jobType: "cut")])
    let error = #expect(throws: StoreError.self) {
      try store.open(pipeline, owner: "owner", now: Timestamp(milliseconds: 0))
    }
    #expect(error?.kind == .misconfigured && error?.message.contains("not a regular file") == true)
  }
}
