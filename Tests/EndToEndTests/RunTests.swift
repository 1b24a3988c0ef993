import Foundation
import PluginTestKit
import Testing

@Suite("carbontube run, and what the commands print", .timeLimit(.minutes(15)))
struct RunTests {
  @Test func `run says in JSON which job failed and why, and shows what one said before it crashed`() throws {
    let folder = try TemporaryFolder()
    let json = try Program.run(
      ["run", "--json", "--no-schema-check", Terminals.library, "example-one", #"{"size": -5}"#, #"{"size": 1}"#],
      in: folder.path,
      environment: ["TMPDIR": folder.path])
    #expect(json.status == 1 && json.lines.count == 2, "\(json)")
    let first = try #require(
      try JSONSerialization.jsonObject(with: Data(json.lines[0].utf8)) as? [String: Any])
    #expect(first["state"] as? String == "dead")
    #expect((first["error"] as? [String: Any])?["message"] as? String == "size is -5; it must be within 0...10000000")
    #expect(json.lines[1].contains(#""state":"succeeded""#))
    let crash = try Program.run(
      ["run", "\(buildFolder)/libFixturePlugin.so", "hooked", #"{"do": "trap"}"#], in: folder.path)
    #expect(crash.status == 1 && crash.complaint.contains("  stderr  "), "\(crash)")
    #expect(crash.complaint.contains("Fatal error"), "\(crash)")
  }

  @Test func `run prints a JSON line for each job, in the order given`() throws {
    let folder = try TemporaryFolder()
    let end = try Program.run(
      ["run", "--json", Terminals.library, "example-one", #"{"size": 3, "n": 1}"#, #"{"n": 2, "size": 0}"#],
      in: folder.path, environment: ["TMPDIR": folder.path])
    #expect(end.status == 0, "\(end)")
    try #require(end.lines.count == 2, "\(end)")
    for (number, line) in end.lines.enumerated() {
      let whole = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(whole["state"] as? String == "succeeded" && whole["error"] == nil && whole["id"] is String)
      let object = try #require(whole["instructions"] as? [String: Any])
      #expect(object["n"] as? Int == number + 1)
      #expect((object["hash"] as? String)?.count == 40)
    }
    // SHA-1 of nothing (FIPS 180-4).
    #expect(end.lines[1].contains("da39a3ee5e6b4b0d3255bfef95601890afd80709"))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(left.isEmpty, "\(left)")
  }

  @Test func `run takes a hundred jobs from stdin and phases from several plugins`() throws {
    let folder = try TemporaryFolder()
    let end = try Program.run(
      [
        "run", "--json", "-c", "2", "--phases-from", "\(buildFolder)/libHashFile.so", Terminals.library,
        "example-one", "-",
      ], in: folder.path, environment: ["TMPDIR": folder.path],
      input: (0..<100).map { #"{"size": 2, "n": \#($0)}"# }.joined(separator: "\n"))
    #expect(end.status == 0, "\(end.complaint)")
    #expect(end.lines.count == 100)
    #expect(end.complaint.isEmpty)
  }

  @Test func `run says which jobs failed and why`() throws {
    let folder = try TemporaryFolder()
    let end = try Program.run(
      ["run", "--no-schema-check", Terminals.library, "example-one", #"{"size": 1}"#, #"{"size": -5}"#],
      in: folder.path,
      environment: ["TMPDIR": folder.path])
    #expect(end.status == 1, "\(end)")
    try #require(end.lines.count == 2, "\(end)")
    #expect(end.lines[0].hasPrefix("1  succeeded"), "\(end.output)")
    #expect(end.lines[1].hasPrefix("2  dead") && end.lines[1].contains("size is -5"), "\(end.output)")
  }

  @Test func `Metrics are kept with the jobs, over a restart of the coordinator`() throws {
    let terminals = try Terminals()
    try terminals.addWorkers(1)
    _ = try terminals.enqueue(5)
    try terminals.awaitStatus("all finished") { $0.succeeded == 5 }
    terminals.coordinator.send(SIGTERM)
    #expect(try terminals.coordinator.end().status == 0)
    try terminals.restartCoordinator()
    let at = "--address=\(terminals.jobs)"
    let shown = try Program.run(["metrics", at], in: terminals.folder.path)
    #expect(shown.status == 0 && shown.lines.count == 4, "\(shown)")
    for (line, name) in zip(shown.lines.dropFirst(), ["generate-file", "calculate-hash", "delete-file"]) {
      let words = line.split(separator: " ")
      #expect(words[0] == name && words[2] == "5" && words[3] == "5" && words[4] == "0", "\(line)")
      #expect(line.contains("≤ "), "\(line)")
    }
    let json = try Program.run(["metrics", at, "--json", "--minutes=5"], in: terminals.folder.path)
    #expect(json.output.contains(#""succeeded":5"#) && json.output.contains(#""enqueued":5"#), "\(json)")
  }

  @Test func `plugins test runs one phase once and tells how it went`() throws {
    let folder = try TemporaryFolder()
    func test(_ arguments: String...) throws -> Program.End {
      try Program.run(
        ["plugins", "test"] + arguments, in: folder.path, environment: ["TMPDIR": folder.path])
    }
    let made = try test(Terminals.library, "generate-file", #"{"size": 2}"#)
    #expect(made.status == 0 && made.output == #"{"file_path":"\#(folder.path)/carbontube-plugins-test.txt"}"# + "\n")
    #expect(made.complaint.contains("took ") && made.complaint.contains("peak memory "), "\(made)")
    let missing = try test(Terminals.library, "calculate-hash", #"{"file_path": "/no/such/file"}"#)
    #expect(missing.status == 1 && missing.complaint.contains("log warning: no file to hash"), "\(missing)")
    #expect(missing.complaint.contains("FileMissing: /no/such/file does not exist"), "\(missing)")
    #expect(try test(Terminals.library, "generate-file").output == "no result\n")
    #expect(try test(Terminals.library, "generate-file", "[]").status == 65)
    #expect(try test(Terminals.library, "nope").status == 64)
    let crashed = try test("\(buildFolder)/libFixturePlugin.so", "puppet", #"{"do": "trap"}"#)
    #expect(crashed.status == 1 && crashed.complaint.contains("ended without a result"), "\(crashed)")
  }

  @Test(arguments: [
    "", "pipeline", "phase", "enqueue", "run", "plugins", "plugins list", "plugins test", "version", "status",
    "metrics", "jobs",
    "job", "cancel", "actions", "actions stop",
    "requeue", "delete", "pause", "resume", "drain",
  ])
  func `--help of each command explains it within 100 columns`(command: String) throws {
    let folder = try TemporaryFolder()
    let end = try Program.run(command.split(separator: " ").map(String.init) + ["--help"], in: folder.path)
    #expect(end.status == 0 && end.output.contains("OVERVIEW: ") && end.output.contains("USAGE: carbontube"))
    #expect(end.lines.allSatisfy { $0.count <= 100 }, "\(end.output)")
  }

  @Test func `A job is enqueued once under its id, later with --delay, and can be looked at, cancelled and requeued`()
    throws
  {
    let terminals = try Terminals(storage: "memory:")
    func command(_ arguments: String...) throws -> Program.End { try Program.run(arguments, in: terminals.folder.path) }
    let at = "--address=\(terminals.jobs)"
    let first = try command("enqueue", terminals.jobs, "example-one", #"{"size": 1}"#, "--id=mine", "--delay=3600")
    #expect(first.status == 0 && first.output == "mine\n")
    let again = try command("enqueue", terminals.jobs, "example-one", #"{"size": 1}"#, "--id=mine", "--json")
    #expect(again.status == 0 && again.output.contains(#""state":"duplicate""#), "\(again)")
    #expect(try command("job", "mine", at).output.contains("job mine: delayed in generate-file"))
    #expect(try command("cancel", "mine", at).output == "cancelled mine\n")
    let twice = try command("cancel", "mine", at)
    #expect(twice.status == 1 && twice.complaint.contains("cancelled already"), "\(twice)")
    #expect(try command("requeue", "mine", "--state=dead", at).status == 1)
    #expect(try command("requeue", "mine", "--state=cancelled", at).output == "requeued 1 job\n")
    #expect(try command("jobs", "--state=waiting", at).output.contains("mine"))
    try terminals.addWorkers(1)
    try terminals.awaitStatus("finished") { $0.succeeded == 1 }
    #expect(try command("delete", "mine", at).output == "deleted 1 job\n")
    let gone = try command("job", "mine", at)
    #expect(gone.status == 1 && gone.complaint.contains("no job 'mine'"), "\(gone)")
    let status = try command("status", at)
    #expect(status.output.contains("kept: 0 succeeded, 0 cancelled, 0 dead\n"), "\(status)")
    #expect(status.output.contains("since its start: ") && status.output.contains(" 1 succeeded, 0 dead\n"))
    #expect(status.output.contains("generate-file") && status.output.contains("storage memory: is open"))
  }

  @Test func `requeue, delete and cancel do what they can of all that is named, and report the rest`() throws {
    let terminals = try Terminals(storage: "memory:")
    let at = "--address=\(terminals.jobs)"
    func command(_ arguments: String...) throws -> Program.End {
      try Program.run(arguments + [at], in: terminals.folder.path)
    }
    for id in ["a", "b", "c"] {
      let end = try Program.run(
        ["enqueue", terminals.jobs, "example-one", "--id", id, "--delay=3600"], in: terminals.folder.path)
      #expect(end.status == 0, "\(end)")
    }
    let cancelled = try command("cancel", "a", "nosuch", "b", "b")
    #expect(cancelled.status == 1 && cancelled.output == "cancelled a\ncancelled b\n", "\(cancelled)")
    #expect(
      cancelled.complaint.contains("no job 'nosuch'") && cancelled.complaint.contains("1 of 3 jobs"), "\(cancelled)")
    let requeued = try command("requeue", "a", "nosuch", "c")
    #expect(requeued.status == 1 && requeued.output == "requeued 2 jobs\n", "\(requeued)")
    #expect(requeued.complaint.contains("no job 'nosuch'"), "\(requeued)")
    let waiting = try command("requeue", "a")
    #expect(waiting.status == 1 && waiting.output.isEmpty, "\(waiting)")
    #expect(waiting.complaint.contains("job 'a' is waiting"), "\(waiting)")
    let deleted = try command("delete", "a", "nosuch", "c")
    #expect(deleted.status == 1 && deleted.output == "deleted 2 jobs\n", "\(deleted)")
    #expect(try command("jobs", "--count").output == "1\n")
  }

  @Test func `--wait names the job at once, says what holds it up, and gives up when it was told to`() throws {
    let terminals = try Terminals(storage: "memory:", options: ["--no-schema-check"])
    func enqueue(_ arguments: String...) throws -> Program.End {
      try Program.run(["enqueue", terminals.jobs, "example-one"] + arguments, in: terminals.folder.path)
    }
    let held = try Program(
      "carbontube", ["enqueue", terminals.jobs, "example-one", #"{"size": -1}"#, "--id=held", "--wait"],
      in: terminals.folder.path)
    _ = try held.complaint(holding: "enqueued held")
    _ = try held.complaint(holding: "nobody serves ")
    let given = try enqueue("--id=late", "--delay=3600", "--wait", "--wait-timeout=0.1")
    #expect(given.status == 69 && given.complaint.contains("job 'late' has not ended"), "\(given)")
    try terminals.addWorkers(1)
    let end = try held.end()
    #expect(end.status == 1 && end.complaint.contains("'carbontube job held' shows why"), "\(end)")
    #expect(end.output.hasPrefix("held  dead  {\"size\": -1}  BadInput: size is -1"), "\(end)")
    let json = try enqueue(#"{"size": -1}"#, "--wait", "--json")
    #expect(json.output.contains(#""state":"dead","instructions":{"size": -1},"error":{"#), "\(json)")
    let soon = try enqueue(#"{"size": 1}"#, "--delay=0.5", "--wait")
    #expect(soon.status == 0 && soon.output.contains("  succeeded  "), "\(soon)")
  }

  @Test func `run ends with its coordinator, and says why that ended`() throws {
    let folder = try TemporaryFolder()
    let run = try Program(
      "carbontube",
      [
        "run", "\(buildFolder)/libFixturePlugin.so", "hooked", #"{"do": "wait"}"#, "--storage=sqlite:jobs.db",
        "--log-level=info",
      ], in: folder.path)
    _ = try run.complaint(holding: "serves puppet")
    // The database may be another's from now on.
    try FileManager.default.removeItem(atPath: "\(folder.path)/jobs.db.lock")
    let end = try run.end()
    #expect(end.status == 69 && end.complaint.contains("its lock file was removed"), "\(end)")
  }
}
