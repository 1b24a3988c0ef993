import Foundation
import PluginTestKit
import Testing

/// Redis with every write on disk before it is answered, in a folder of its own.
final class RedisProcess {
  let folder: TemporaryFolder
  private(set) var program: Program
  var uri: String { "redis+unix://\(folder.path)/redis.sock" }

  init() throws {
    folder = try TemporaryFolder()
    program = try Self.start(in: folder)
  }

  func restart(_ options: [String] = [], untilReady: Bool = true) throws {
    program = try Self.start(in: folder, options, untilReady: untilReady)
  }

  private static func start(
    in folder: TemporaryFolder, _ options: [String] = [], untilReady: Bool = true
  ) throws -> Program {
    let program = try Program(
      "/usr/bin/redis-server",
      [
        "--port", "0", "--unixsocket", "\(folder.path)/redis.sock", "--dir", folder.path, "--save", "",
        "--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "local",
      ] + options, in: folder.path)
    if untilReady { _ = try program.line(holding: "eady to accept connections") }
    return program
  }
}

@Suite("kill -9 in the middle of 1,000 jobs loses none", .serialized, .timeLimit(.minutes(15)))
struct KillTests {
  @Test func `of a PluginHost child`() throws {
    let terminals = try Terminals()
    try terminals.addWorkers(2)
    let ids = try terminals.enqueue(1_000)
    try terminals.awaitStatus("some are done") { $0.succeeded > 100 }
    for worker in terminals.workers {
      let children = try Self.children(of: worker.processID)
      #expect(children.count == 1)
      for child in children { kill(child, SIGKILL) }
    }
    try finish(terminals, ids, "PluginHost children")
  }

  @Test func `of a worker leaves nothing of its children`() throws {
    let folder = try TemporaryFolder()
    // As a worker does, it holds a child that runs a job.
    let library = try compileUnrulyPlugin(in: folder)
    let program = try Program(
      "carbontube", ["plugins", "test", library, "unruly", #"{"do":"helper-hang"}"#], in: folder.path)
    let line = try program.complaint(holding: "helper ")
    let helper = try #require(line.split(separator: " ").last.flatMap { Int32($0) })
    let guardian = try #require(try Self.children(of: program.processID).first)
    let child = try #require(try Self.children(of: guardian).first)
    #expect(kill(helper, 0) == 0)
    program.send(SIGKILL)
    for process in [helper, child, guardian] {
      let deadline = Date() + 60
      while Self.isRunning(process), Date() < deadline { poll(nil, 0, 10) }
      #expect(!Self.isRunning(process))
    }
  }

  /// What has ended may wait for init to notice.
  static func isRunning(_ process: Int32) -> Bool {
    guard let status = try? contents(of: "/proc/\(process)/stat") else { return false }
    return !String(decoding: status, as: UTF8.self).contains(") Z ")
  }

  @Test func `of a worker`() throws {
    let terminals = try Terminals()
    try terminals.addWorkers(2)
    let ids = try terminals.enqueue(1_000)
    try terminals.awaitStatus("some are done") { $0.succeeded > 100 }
    for worker in terminals.workers.prefix(3) { worker.send(SIGKILL) }
    try finish(terminals, ids, "one worker of each phase")
  }

  @Test(arguments: ["redis", "sqlite"])
  func `of the coordinator`(kind: String) throws {
    let redis = kind == "redis" ? try RedisProcess() : nil
    let terminals = try Terminals(storage: redis?.uri)
    try terminals.addWorkers(2)
    let ids = try terminals.enqueue(1_000)
    for milestone in [100, 500] {
      try terminals.awaitStatus("\(milestone) are done") { $0.succeeded > milestone }
      try terminals.killCoordinator()
      try terminals.restartCoordinator()
    }
    try finish(terminals, ids, "the coordinator, twice, on \(kind)")
    withExtendedLifetime(redis) {}
  }

  @Test func `of redis-server, and its absence at the start`() throws {
    let folder = try TemporaryFolder()
    let start = Date()
    let absent = try Program.run(
      [
        "pipeline", Terminals.library, "example-one", "--storage", "redis+unix://\(folder.path)/none.sock",
        "--sub-bind=tcp://127.0.0.1:*", "--job-pull=tcp://127.0.0.1:*",
      ], in: folder.path)
    #expect(absent.status == 69 && absent.complaint.contains("none.sock"))
    #expect(Date().timeIntervalSince(start) < 30)

    let redis = try RedisProcess()
    let terminals = try Terminals(storage: redis.uri)
    try terminals.addWorkers(1)
    let ids = try terminals.enqueue(1_000)
    try terminals.awaitStatus("some are done") { $0.succeeded > 100 }
    try redis.program.killAndWait()
    let refused = try Program.run(
      ["enqueue", terminals.jobs, "example-one", #"{"size": 1}"#], in: terminals.folder.path)
    #expect(refused.status == 69 && refused.output.isEmpty, "\(refused)")
    #expect(refused.complaint.split(separator: "\n").count == 1, "\(refused)")
    try redis.restart()
    try finish(terminals, ids, "redis-server")
  }

  private func finish(_ terminals: Terminals, _ ids: [String], _ what: String) throws {
    #expect(ids.count == 1_000)
    try terminals.awaitStatus("all finished") { $0.unfinished == 0 }
    let repeated = try terminals.expectAllSucceeded(ids)
    print("kill -9 of \(what): 1000 of 1000 jobs succeeded, \(repeated) attempts repeated")
  }

  static func children(of process: Int32) throws -> [Int32] {
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
    return try threads.flatMap { thread in
      String(decoding: try contents(of: "/proc/\(process)/task/\(thread)/children"), as: UTF8.self)
        .split(separator: " ").compactMap { Int32($0) }
    }
  }
}
