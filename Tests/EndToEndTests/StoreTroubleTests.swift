import Foundation
import PluginTestKit
import Testing

/// What goes wrong below a running coordinator: refused with a clear line, and work resumes by itself.
@Suite("Stores in trouble", .serialized, .timeLimit(.minutes(15)))
struct StoreTroubleTests {
  private func redisCLI(_ redis: RedisProcess, _ words: String...) throws -> Program.End {
    try Program("/usr/bin/redis-cli", ["-s", "\(redis.folder.path)/redis.sock"] + words, in: redis.folder.path).end()
  }

  private func enqueueOne(_ terminals: Terminals) throws -> Program.End {
    try Program.run(["enqueue", terminals.jobs, "example-one", #"{"size": 1}"#], in: terminals.folder.path)
  }

  private func expectRefusal(_ terminals: Terminals, _ part: String) throws {
    let refused = try enqueueOne(terminals)
    #expect(refused.status == 69 && refused.output.isEmpty, "\(refused)")
    #expect(refused.complaint.split(separator: "\n").count == 1 && refused.complaint.contains(part), "\(refused)")
  }

  /// Whatever is refused meanwhile, what was acknowledged ends well once the trouble is over.
  private func expectRecovery(_ terminals: Terminals, _ ids: [String]) throws {
    try terminals.awaitStatus("all finished") { $0.unfinished == 0 && $0.succeeded >= ids.count }
    let deadline = Date() + 60
    var last = try enqueueOne(terminals)
    while last.status != 0, Date() < deadline { last = try enqueueOne(terminals) }
    #expect(last.status == 0, "\(last)")
    try terminals.awaitStatus("all finished") { $0.unfinished == 0 }
    try terminals.expectAllSucceeded(ids + last.lines)
  }

  @Test func `Redis without memory`() throws {
    let redis = try RedisProcess()
    let terminals = try Terminals(storage: redis.uri)
    let ids = try terminals.enqueue(50)
    _ = try redisCLI(redis, "CONFIG", "SET", "maxmemory", "1")
    try expectRefusal(terminals, "maxmemory")
    _ = try redisCLI(redis, "CONFIG", "SET", "maxmemory", "0")
    try terminals.addWorkers(1)
    try expectRecovery(terminals, ids)
  }

  @Test func `Redis as a read-only replica`() throws {
    let redis = try RedisProcess()
    let terminals = try Terminals(storage: redis.uri)
    let ids = try terminals.enqueue(50)
    _ = try redisCLI(redis, "REPLICAOF", "127.0.0.1", "1")
    try expectRefusal(terminals, "read-only replica")
    _ = try redisCLI(redis, "REPLICAOF", "NO", "ONE")
    try terminals.addWorkers(1)
    try expectRecovery(terminals, ids)
  }

  @Test func `Redis that forgot its scripts`() throws {
    let redis = try RedisProcess()
    let terminals = try Terminals(storage: redis.uri)
    try terminals.addWorkers(1)
    let ids = try terminals.enqueue(200)
    for _ in 0..<5 { _ = try redisCLI(redis, "SCRIPT", "FLUSH") }
    try expectRecovery(terminals, ids)
  }

  @Test func `Redis that is still loading`() throws {
    let redis = try RedisProcess()
    let terminals = try Terminals(storage: redis.uri)
    let ids = try terminals.enqueue(50)
    _ = try redisCLI(redis, "DEBUG", "POPULATE", "20000")
    try redis.program.killAndWait()
    // Each of 20,000 keys takes 100 µs longer to load: two seconds of -LOADING.
    try redis.restart(["--key-load-delay", "100"], untilReady: false)
    _ = try enqueueOne(terminals)
    try terminals.addWorkers(1)
    try expectRecovery(terminals, ids)
  }

  @Test func `A second coordinator on a store in use is refused and told so`() throws {
    let redis = try RedisProcess()
    for storage in [redis.uri, nil] {
      let terminals = try Terminals(storage: storage)
      let second = try Program.run(
        ["pipeline", Terminals.library, "example-one", "--sub-bind=tcp://127.0.0.1:*", "--job-pull=tcp://127.0.0.1:*"]
          + terminals.storage, in: terminals.folder.path)
      #expect(second.status == 69, "\(second)")
      #expect(second.complaint.split(separator: "\n").last?.contains("coordinator") == true, "\(second)")
      #expect(try terminals.enqueue(1).count == 1)
    }
  }

  /// A file system of its own needs root; the machines of CI are root.
  @Test(.enabled(if: geteuid() == 0, "needs root to mount a small file system"))
  func `SQLite on a full disk`() throws {
    let folder = try TemporaryFolder()
    func shell(_ command: String) throws -> Program.End { try Program("/bin/sh", ["-c", command], in: "/tmp").end() }
    let mounted = try shell("mount -t tmpfs -o size=3m tmpfs '\(folder.path)'")
    #expect(mounted.status == 0, "\(mounted)")
    defer { _ = try? shell("umount -l '\(folder.path)'") }
    let terminals = try Terminals(storage: "sqlite:\(folder.path)/jobs.db")
    var ids = try terminals.enqueue(50)
    #expect(try shell("dd if=/dev/zero of='\(folder.path)/ballast' bs=4k 2>/dev/null; true").status == 0)
    var refused: Program.End?
    for _ in 0..<200 where refused == nil {
      let end = try enqueueOne(terminals)
      if end.status == 0 { ids += end.lines } else { refused = end }
    }
    let refusal = try #require(refused)
    #expect(refusal.status == 69 && refusal.complaint.split(separator: "\n").count == 1, "\(refusal)")
    #expect(try shell("rm '\(folder.path)/ballast'").status == 0)
    try terminals.addWorkers(1)
    try expectRecovery(terminals, ids)
    terminals.coordinator.send(SIGTERM)
    _ = try terminals.coordinator.end()
  }
}
