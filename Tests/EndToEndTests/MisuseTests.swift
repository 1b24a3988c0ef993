import Foundation
import PluginTestKit
import Testing

/// What people get wrong: one clear line, the right exit code, nothing lost.
@Suite("Misuse of the command line", .timeLimit(.minutes(5)))
struct MisuseTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var status: Int32
    /// Parts of the line on stderr.
    var says: [String]
    var testDescription: String { arguments.joined(separator: " ") }

    init(_ arguments: [String], _ status: Int32, _ says: String...) {
      self.arguments = arguments
      self.status = status
      self.says = says
    }
  }

  static let example = Terminals.library
  static let anyPorts = ["--sub-bind=tcp://127.0.0.1:*", "--job-pull=tcp://127.0.0.1:*"]

  static let cases: [Case] = [
    Case(["pipeline", "no/such.so", "example-one"], 66, "no/such.so", "does not exist"),
    Case(["phase", "no/such.so", "x"], 66, "no/such.so", "does not exist"),
    Case(["run", "no/such.so", "x"], 66, "no/such.so", "does not exist"),
    Case(["pipeline", example, "example-two"], 64, "example-two", "it has: example-one"),
    Case(["phase", example, "hash"], 64, "'hash'", "generate-file, calculate-hash, delete-file"),
    Case(["pipeline", example, "example-one", "--sub-bind=127.0.0.1:6000"], 64, "must begin with tcp://"),
    Case(["pipeline", example, "example-one", "--job-pull=tcp://127.0.0.1"], 64, "needs a host and a port"),
    Case(["phase", example, "delete-file", "--sub-connect=tcp://127.0.0.1:99999"], 64, "needs a port from 1 to 65535"),
    Case(["phase", example, "delete-file", "--concurrency=0"], 64, "--concurrency must be 1 to 2048"),
    Case(["phase", example, "delete-file", "--ready-timeout=0"], 64, "--ready-timeout is seconds"),
    Case(["pipeline", example, "example-one", "--storage=mysql://x"] + anyPorts, 78, "'mysql:…' is not known"),
    Case(
      ["pipeline", example, "example-one", "--storage=sqlite:/no/such/folder/x.db"] + anyPorts, 78, "/no/such/folder"),
    Case(["enqueue", "tcp://127.0.0.1:5050:x", "p"], 64, "needs a port"),
    Case(["enqueue", "ipc:///tmp/carbontube-nobody-listens", "p", "--timeout=0.3"], 69, "no coordinator answers"),
    Case(["enqueue", "ipc:///tmp/carbontube-nobody-listens", "p", "[1]"], 65, "JSON object", "[1]"),
    Case(["enqueue", "ipc:///tmp/carbontube-nobody-listens", "p", "{"], 65, "JSON object"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--at=tomorrow"], 64, "'tomorrow'", "2030-01-31T12:00:00Z"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--priority=8"], 64, "-8 to 7"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--id=a b"], 64, "'a b'"),
    Case(["run", example, "example-one", #"{"size": -1}"#], 1, "1 of 1 job did not succeed"),
    Case(["run", example, "example-one", "7"], 65, "JSON object"),
    Case(["requeue"], 64, "name jobs"),
    Case(["jobs", "--state=gone"], 64, "'gone'", "waiting, delayed"),
    Case(["plugins", "list", "--plugin-dir=no/such/dir"], 66, "no/such/dir"),
    Case(["status", "--address=ipc:///tmp/carbontube-nobody-listens", "--timeout=0.3"], 69, "no coordinator answers"),
    Case(["frobnicate"], 64, "frobnicate"),
    Case(["phase", example, "delete-file", "--concurency", "2"], 64, "Unknown option '--concurency'"),
    Case(["requeue", "--bogus", "x"], 64, "Unknown option '--bogus'"),
    Case(["delete", "--bogus"], 64, "Unknown option '--bogus'"),
    Case(["phase", example], 64, "name a plugin and one of its phases"),
    Case(
      ["phase", example, "delete-file", "--sub-connect=tcp://127.0.0.1:1", "--sub-connect=tcp://127.0.0.1:2"], 64,
      "--sub-connect is given 2 times"),
    Case(["phase", example, "delete-file", "--memory-limit=0"], 64, "--memory-limit must be at least"),
    Case(["phase", example, "delete-file", "--open-files-limit=4"], 64, "--open-files-limit must be at least"),
    Case(["phase", example, "delete-file", "--timeout=-1"], 64, "--timeout and --drain-timeout are seconds"),
    Case(["statsu"], 64, "'statsu'", "did you mean 'status'?"),
    Case(["requeue", "--bogus"], 64, "Unknown option '--bogus'"),
    Case(["requeue", "--all", "a"], 64, "--all by itself"),
    Case(["delete", "--id-prefix", ""], 64, "--id-prefix is empty"),
    Case(["requeue", "--error", ""], 64, "--error is empty"),
    Case(["jobs", "--phase", ""], 64, "--phase is empty"),
    Case(["jobs", "--state", ""], 64, "unknown state ''"),
    Case(["cancel", "--error", ""], 64, "--error is empty"),
    Case(["cancel"], 64, "name jobs"),
    Case(["cancel", ""], 64, "'' is no id of a job"),
    Case(["delete", "a", ""], 64, "'' is no id of a job"),
    Case(["job", ""], 64, "'' is no id of a job"),
    Case(["pause", "--phase", ""], 64, "--phase is empty"),
    Case(["drain", ""], 64, "is empty"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--delay=1e30"], 64, "100 years"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--delay=nan"], 64, "100 years"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--delay=-1"], 64, "100 years"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--at=9999-01-01T00:00:00Z"], 64, "100 years"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--priority=99999999999999999999"], 64, "99999999999999999999"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--wait-timeout=1"], 64, "needs --wait"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--wait", "--wait-timeout=inf"], 64, "--wait-timeout must be"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--timeout=nan"], 64, "--timeout must be"),
    Case(["pipeline", example, "example-one", "--concurrency=99999999999"], 64, "--concurrency must be"),
    Case(["pipeline", example, "example-one", "--keep-days=inf"], 64, "--keep-days must be"),
    Case(["pipeline", example, "example-one", "--keep-dead=-1"], 64, "--keep-dead must not be negative"),
    Case(["metrics", "--minutes=9223372036854775807"], 64, "--minutes must be"),
  ]

  @Test(arguments: cases)
  func `One line and the right exit code`(misuse: Case) throws {
    let folder = try TemporaryFolder()
    let end = try Program.run(misuse.arguments, in: folder.path)
    #expect(end.status == misuse.status, "\(end)")
    for part in misuse.says { #expect(end.complaint.contains(part), "\(end.complaint)") }
    // ArgumentParser adds how the command is used; everything else is one line.
    let lines = end.complaint.split(separator: "\n").filter {
      !$0.hasPrefix("Usage:") && !$0.hasPrefix("Help:") && !$0.hasPrefix("  See ")
    }
    #expect(lines.count == 1, "\(end.complaint)")
  }

  @Test func `Files that are no plugins`() throws {
    let folder = try TemporaryFolder()
    let whole = try contents(of: Self.example)
    try folder.write(Array("not a plugin\n".utf8), to: "text.so")
    try folder.write(whole.prefix(whole.count / 2), to: "half.so")
    try folder.write([], to: "empty.so")
    for (file, part) in [("text.so", "text.so"), ("half.so", "half.so"), ("empty.so", "empty.so")] {
      let end = try Program.run(["phase", file, "x"], in: folder.path)
      #expect(end.status == 65 && end.complaint.contains(part), "\(end)")
      #expect(end.complaint.split(separator: "\n").count == 1, "\(end.complaint)")
      let verify = try Program.run(["plugins", "verify", file], in: folder.path)
      #expect(verify.status == 65, "\(verify)")
    }
    try folder.write(whole, to: "whole.so")
    let list = try Program.run(["plugins", "list", "--plugin-dir", folder.path], in: folder.path)
    #expect(list.status == 0)
    #expect(list.lines.count == 5 && list.lines.count { $0.contains(" invalid: ") } == 3, "\(list.output)")
    #expect(list.output.contains("example-one"))
  }

  @Test func `C plugins that lack the entry, speak another ABI, or crash while they load`() throws {
    let folder = try TemporaryFolder()
    let cases = [
      ("none", "int nothing;", "carbontube"),
      ("trap", "__attribute__((constructor)) static void f(void) { __builtin_trap(); }", "carbontube"),
    ]
    for (name, source, part) in cases {
      let file = try folder.write(Array(source.utf8), to: "\(name).c")
      let compiler = try Program(
        "/usr/bin/gcc", ["-shared", "-fPIC", "-o", "\(folder.path)/\(name).so", file], in: folder.path
      ).end()
      #expect(compiler.status == 0, "\(compiler.complaint)")
      let end = try Program.run(["phase", "\(name).so", "x"], in: folder.path)
      #expect(end.status == 65 && end.complaint.lowercased().contains(part), "\(end)")
      #expect(end.complaint.split(separator: "\n").count == 1, "\(end.complaint)")
    }
  }

  @Test func `A taken address is named, and the coordinator that has it goes on`() throws {
    let terminals = try Terminals(storage: "memory:")
    let second = try Program.run(
      [
        "pipeline", Self.example, "example-one", "--storage=memory:", "--sub-bind=\(terminals.events)",
        "--job-pull=tcp://127.0.0.1:*",
      ], in: terminals.folder.path)
    #expect(second.status == 69 && second.complaint.contains(terminals.events), "\(second)")
    let wrong = try Program.run(["enqueue", terminals.jobs, "example-two"], in: terminals.folder.path)
    #expect(wrong.status == 65 && wrong.complaint.contains("runs pipeline 'example-one'"), "\(wrong)")
    let large = #"{"a": "\#(String(repeating: "x", count: 5 << 20))"}"#
    let refused = try Program.run(
      ["enqueue", terminals.jobs, "example-one", "-"], in: terminals.folder.path, input: large)
    #expect(refused.status == 65 && refused.complaint.contains("larger than the limit"), "\(refused.status)")
    let status = try terminals.status()
    #expect(status.unfinished == 0)
  }
}
