import Foundation
import PluginTestKit
import Testing

@Suite("The main job in several terminals", .serialized, .timeLimit(.minutes(15)))
struct FiveTerminalTests {
  @Test func `1,000 jobs go through two workers per phase, and every hash is right`() throws {
    let terminals = try Terminals()
    try terminals.addWorkers(2)
    try terminals.awaitStatus("six workers") { $0.workers.count == 6 }
    // While delete-file is paused, somebody else can hash the files.
    let pause = try Program.run(
      ["pause", "--phase", "delete-file", "--address", terminals.jobs], in: terminals.folder.path)
    #expect(pause.status == 0)
    let ids = try terminals.enqueue(1_000)
    #expect(Set(ids).count == 1_000)
    try terminals.awaitStatus("all hashed") { $0.phases[2].waiting == 1_000 }
    let hashes = try independentHashes(in: terminals.folder)
    #expect(hashes.count == 1_000)
    let resume = try Program.run(
      ["resume", "--phase", "delete-file", "--address", terminals.jobs], in: terminals.folder.path)
    #expect(resume.status == 0)
    let status = try terminals.awaitStatus("all finished") { $0.unfinished == 0 }
    #expect(status.succeeded == 1_000 && status.dead == 0 && status.cancelled == 0)
    try terminals.expectAllSucceeded(ids)
    for (job, instructions) in try terminals.allJobs() {
      let path = try #require(instructions["file_path"] as? String)
      #expect(instructions["hash"] as? String == hashes[path], "\(job.id)")
      #expect(instructions["size"] as? Int == 10)
      #expect(!FileManager.default.fileExists(atPath: path))
    }
    try expectEvenShares(terminals)
  }

  /// Each worker's own count arrives with its next heartbeat.
  private func expectEvenShares(_ terminals: Terminals) throws {
    let status = try terminals.awaitStatus("every success counted by its worker") {
      $0.workers.reduce(0) { $0 + $1.succeeded } == 3_000
    }
    for phase in status.phases {
      let shares = status.workers.filter { $0.jobType == phase.jobType }.map(\.succeeded)
      #expect(shares.count == 2 && shares.reduce(0, +) == 1_000)
      // Even, not equal: a worker that the machine holds up gets less.
      #expect(shares.allSatisfy { $0 >= 300 }, "\(phase.jobType): \(shares)")
    }
    print("shares: \(status.workers.map { "\($0.jobType) \($0.succeeded)" }.sorted())")
  }

  private func independentHashes(in folder: TemporaryFolder) throws -> [String: String] {
    let end = try Program(
      "/bin/sh", ["-c", "find '\(folder.path)' -name 'carbontube-*.txt' -print0 | xargs -0 sha1sum"], in: folder.path
    ).end()
    var hashes: [String: String] = [:]
    for line in end.lines {
      let words = line.split(separator: " ")
      hashes[String(words[1])] = String(words[0])
    }
    return hashes
  }

  @Test func `No plugin is mapped into the coordinator or the worker`() throws {
    let terminals = try Terminals(storage: "memory:")
    try terminals.addWorkers(1)
    let ids = try terminals.enqueue(20)
    try terminals.awaitStatus("all finished") { $0.unfinished == 0 }
    try terminals.expectAllSucceeded(ids)
    for program in [terminals.coordinator] + terminals.workers {
      let maps = String(decoding: try contents(of: "/proc/\(program.processID)/maps"), as: UTF8.self)
      let holdsTransport = maps.contains("libzmq")
      let holdsPlugin = ["libExample", "libHashFile", "/plugins/"].contains { maps.contains($0) }
      #expect(holdsTransport && !holdsPlugin)
    }
    let libraries = try Program("/usr/bin/ldd", ["\(buildFolder)/carbontube"], in: terminals.folder.path).end()
    #expect(libraries.status == 0 && libraries.output.contains("libzmq"))
    #expect(!libraries.output.contains("Example") && !libraries.output.contains("HashFile"))
  }

  @Test func `A worker that is told to stop finishes what runs and gives back the rest`() throws {
    let terminals = try Terminals(storage: "memory:")
    try terminals.addWorkers(1)
    let ids = try terminals.enqueue(300)
    try terminals.awaitStatus("some are done") { $0.succeeded > 10 }
    let first = terminals.workers[0]
    first.send(SIGTERM)
    #expect(try first.end().status == 0)
    try terminals.addWorker("generate-file")
    try terminals.awaitStatus("all finished") { $0.unfinished == 0 }
    #expect(try terminals.expectAllSucceeded(ids) == 0)
    terminals.coordinator.send(SIGTERM)
    #expect(try terminals.coordinator.end().status == 0)
  }

  @Test func `A second SIGTERM gives running work back at once, and the job is run elsewhere`() throws {
    let terminals = try Terminals(storage: "memory:")
    let worker = try terminals.addWorker("generate-file", ["--drain-timeout=3600"])
    // Ten million lines take seconds.
    let end = try Program.run(
      ["enqueue", terminals.jobs, "example-one", #"{"size": 10000000}"#], in: terminals.folder.path)
    try terminals.awaitStatus("it runs") { $0.phases[0].running == 1 }
    worker.send(SIGTERM)
    _ = try worker.complaint(holding: "draining")
    worker.send(SIGTERM)
    #expect(try worker.end().status == 0)
    try terminals.awaitStatus("it waits again") { $0.phases[0].waiting == 1 && $0.workers.isEmpty }
    let job = try #require(try terminals.allJobs().first?.job)
    // "Lost" where the goodbye overtook the report: both put the job back at once.
    #expect(job.id == end.lines.first)
    #expect(job.attempts.allSatisfy { ["handed-back", "lost"].contains($0.outcome) }, "\(job)")
    // A full drain with nothing to do ends at once as well.
    let idle = try terminals.addWorker("delete-file")
    idle.send(SIGTERM)
    #expect(try idle.end().status == 0)
  }
}
