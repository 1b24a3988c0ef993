import Foundation
import PluginTestKit
import Testing

/// Workers for cron, CI and schedulers of jobs.
@Suite("Workers that end by themselves", .timeLimit(.minutes(15)))
struct OneOffTests {
  @Test func `A worker runs as many jobs as were asked for, and never begins one more`() throws {
    let terminals = try Terminals(storage: "memory:")
    _ = try terminals.enqueue(50)
    let worker = try Program(
      "carbontube",
      [
        "phase", Terminals.library, "generate-file", "--sub-connect=\(terminals.events)", "--max-jobs", "7",
        "--concurrency", "3",
      ], in: terminals.folder.path, environment: ["TMPDIR": terminals.folder.path])
    let end = try worker.end()
    #expect(end.status == 0 && end.complaint.contains("ran 7 jobs, as many as were asked for"), "\(end)")
    let status = try terminals.awaitStatus("the rest was handed back") { $0.phases[0].waiting == 43 }
    #expect(status.phases[0].running == 0 && status.phases[1].waiting == 7)
    let files = try FileManager.default.contentsOfDirectory(atPath: terminals.folder.path)
    #expect(files.count { $0.hasPrefix("carbontube-") && $0.hasSuffix(".txt") } == 7)
  }

  @Test func `A worker ends once nothing waits, and one that has nothing to do after a while`() throws {
    let terminals = try Terminals(storage: "memory:")
    _ = try terminals.enqueue(30)
    func worker(_ options: String...) throws -> Program {
      try Program(
        "carbontube", ["phase", Terminals.library, "generate-file", "--sub-connect=\(terminals.events)"] + options,
        in: terminals.folder.path, environment: ["TMPDIR": terminals.folder.path])
    }
    let emptying = try worker("--until-empty").end()
    #expect(emptying.status == 0 && emptying.complaint.contains("ran 30 jobs, nothing waits any more"), "\(emptying)")
    let idle = try worker("--idle-exit", "0.5s").end()
    #expect(idle.status == 0 && idle.complaint.contains("ran 0 jobs, nothing to do for"), "\(idle)")
    let folder = try Program(
      "carbontube",
      [
        "phase", "--plugin-dir", buildFolder, "generate-file", "calculate-hash", "--sub-connect=\(terminals.events)",
        "--idle-exit", "1s",
      ], in: terminals.folder.path, environment: ["TMPDIR": terminals.folder.path]
    ).end()
    #expect(folder.status == 0 && folder.complaint.contains("the last one here; ending"), "\(folder)")
    #expect(try terminals.status().phases.map(\.waiting) == [0, 0, 30])
    let wrong = try worker("--idle-exit", "soon").end()
    #expect(wrong.status == 64 && wrong.complaint.contains("is no time such as 30s"), "\(wrong)")
  }
}
