import Foundation
import PluginTestKit
import Testing

/// Failures are seen: in the logs of the servers, by `carbontube logs`, and beside the job.
@Suite("carbontube logs", .timeLimit(.minutes(15)))
struct LogsTests {
  private func object(_ line: some StringProtocol) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
  }

  @Test func `A failed attempt and a dead job are lines with fields of their own`() throws {
    let terminals = try Terminals(storage: "memory:", options: ["--log-format=json", "--no-schema-check"])
    let worker = try terminals.addWorker("generate-file", ["--log-format=json"])
    try terminals.addWorker("calculate-hash")
    let missing = #"{"file_path": "/nowhere/\u001b[2J"}"#
    for (id, instructions) in [("bad", #"{"size": -5}"#), ("missing", missing)] {
      let end = try Program.run(
        ["enqueue", terminals.jobs, "example-one", instructions, "--id", id], in: terminals.folder.path)
      #expect(end.status == 0)
    }
    let dead = try object(terminals.coordinator.complaint(holding: "job bad is dead"))
    #expect(dead["level"] as? String == "warning" && dead["job"] as? String == "bad")
    #expect(dead["phase"] as? String == "generate-file" && dead["attempt"] as? Int == 1)
    #expect((dead["reason"] as? String)?.contains("size is -5") == true)
    #expect((dead["build"] as? String)?.count == 12 && (dead["worker"] as? String)?.isEmpty == false)
    #expect((dead["time"] as? String)?.hasSuffix("Z") == true && dead["logger"] as? String == "carbontube.pipeline")
    let failed = try object(terminals.coordinator.complaint(holding: "job missing failed"))
    #expect(failed["level"] as? String == "info" && failed["outcome"] as? String == "failed")
    terminals.coordinator.send(SIGTERM)
    worker.send(SIGTERM)
    for program in [terminals.coordinator, worker] {
      for line in try program.end().complaint.split(separator: "\n") { _ = try object(line) }
    }
  }

  @Test func `Fields that a phase logs are members in the worker's log, and words in carbontube logs`() throws {
    let folder = try TemporaryFolder()
    let library = "\(buildFolder)/libFixturePlugin.so"
    let coordinator = try Program(
      "carbontube",
      ["pipeline", library, "puppets", "--sub-bind=tcp://127.0.0.1:*", "--job-pull=tcp://127.0.0.1:*"], in: folder.path)
    let words = try coordinator.line(holding: "pipeline puppets: jobs").split(separator: " ").map(String.init)
    let (jobs, events) = (String(words[3].dropLast()), String(words[5].dropLast()))
    let worker = try Program(
      "carbontube", ["phase", library, "puppet", "--sub-connect=\(events)", "--log-format=json"], in: folder.path)
    _ = try worker.line(holding: "phase puppet: pipeline")
    let given = try Program.run(
      ["enqueue", jobs, "puppets", #"{"do": "measure"}"#, "--id", "m"], in: folder.path)
    #expect(given.status == 0, "\(given)")
    let read = try object(worker.complaint(holding: "job m: read"))
    #expect(read["fields"] as? [String: String] == ["batch": "7", "kind": "a \"b\"", "size": "3"])
    #expect(read["job"] as? String == "m" && read["phase"] as? String == "puppet")
    _ = try coordinator.complaint(holding: "job m: read [batch 7, kind a \"b\", size 3]")
    let logs = try Program.run(["logs", "--address=\(jobs)", "--job=m"], in: folder.path)
    #expect(logs.output.contains("puppet m: read [batch 7, kind a \"b\", size 3]"), "\(logs)")
    try expectMeasures(at: jobs, in: folder.path)
    worker.send(SIGTERM)
    let said = try worker.end().complaint
    #expect(said.contains("counted and measured: bytes 0.5, depth 2, files 3"), "\(said)")
    let tested = try Program.run(["plugins", "test", library, "puppet", #"{"do": "measure"}"#], in: folder.path)
    #expect(tested.complaint.contains("log info: read [batch 7, ") && tested.complaint.contains("counter files 3"))
    coordinator.send(SIGTERM)
    _ = try coordinator.end()
  }

  /// A worker tells them within a second.
  private func expectMeasures(at jobs: String, in folder: String) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    var measures: [[String: Any]] = []
    while measures.isEmpty, ContinuousClock.now < deadline {
      let told = try Program.run(["metrics", "--address=\(jobs)", "--json"], in: folder)
      measures = try #require(object(told.output)["measures"] as? [[String: Any]])
    }
    #expect(measures.compactMap { $0["name"] as? String } == ["bytes", "depth", "files"])
    #expect(measures.compactMap { $0["value"] as? Double } == [0.5, 2, 3])
    #expect(measures.compactMap { $0["kind"] as? String } == ["counter", "gauge", "counter"])
    #expect(measures.allSatisfy { $0["phase"] as? String == "puppet" })
    let shown = try Program.run(["metrics", "--address=\(jobs)"], in: folder)
    let row = shown.lines.first { $0.contains(" files ") }?.split(separator: " ").map(String.init)
    #expect(row == ["puppet", "files", "counter", "3", "-", "-"], "\(shown)")
  }

  @Test func `Whoever follows sees what phases log and what fails, through a restart of the coordinator`() throws {
    let terminals = try Terminals(options: ["--no-schema-check"])
    try terminals.addWorker("generate-file")
    try terminals.addWorker("calculate-hash")
    let at = "--address=\(terminals.jobs)"
    let follower = try Program("carbontube", ["logs", "--follow", at], in: terminals.folder.path)
    let warnings = try Program(
      "carbontube", ["logs", "-f", "--level=warning", "--phase=calculate-hash", "--json", at], in: terminals.folder.path
    )
    func enqueue(_ id: String, _ instructions: String) throws {
      let end = try Program.run(
        ["enqueue", terminals.jobs, "example-one", instructions, "--id", id], in: terminals.folder.path)
      #expect(end.status == 0, "\(end)")
    }
    try enqueue("bad", #"{"size": -5}"#)
    #expect(try follower.line(holding: "job bad is dead").contains("warning"))
    try enqueue("missing", #"{"file_path": "/nowhere"}"#)
    let said = try object(warnings.line(holding: "no file to hash"))
    #expect(said["job"] as? String == "missing" && said["phase"] as? String == "calculate-hash")
    #expect(try follower.line(holding: "no file to hash").contains("calculate-hash missing: "))
    let kept = try Program.run(["logs", at, "--job", "bad"], in: terminals.folder.path)
    #expect(kept.lines.count == 1 && kept.output.contains("size is -5"), "\(kept)")
    let shown = try Program.run(["job", "missing", at], in: terminals.folder.path)
    #expect(shown.output.contains("  log           ") && shown.output.contains("no file to hash"), "\(shown)")

    try terminals.killCoordinator()
    try terminals.restartCoordinator()
    try enqueue("worse", #"{"size": -6}"#)
    #expect(try follower.line(holding: "job worse is dead").contains("size is -6"))
    #expect(follower.complaints.contains("was started again"))
    for program in [follower, warnings] {
      program.send(SIGINT)
      #expect(try program.end().status == 0)
    }
    let unknown = try Program.run(["logs", at, "--phase", "nothing"], in: terminals.folder.path)
    #expect(unknown.status == 1 && unknown.complaint.contains("no phase 'nothing'"), "\(unknown)")
    let piped = try Program("/bin/sh", ["-c", "\(buildFolder)/carbontube logs -f \(at) | head -1"], in: "/").end()
    #expect(piped.status == 0 && piped.lines.count == 1, "\(piped)")
  }
}
