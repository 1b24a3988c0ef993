import Foundation
import PluginTestKit
import Testing

/// What people get wrong: one clear line, the right exit code, nothing lost.
@Suite("Misuse of the command line", .timeLimit(.minutes(15)))
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
    Case(["run", example, "example-one", "--no-schema-check", #"{"size": -1}"#], 1, "1 of 1 job did not succeed"),
    Case(
      ["run", example, "example-one", #"{"size": -1}"#], 65,
      "instructions must be what phase 'generate-file' takes: /size must be at least 0"),
    Case(
      ["plugins", "test", example, "generate-file", #"{"size": "x"}"#], 65,
      "instructions must be what phase 'generate-file' takes: /size must be an integer, is a string"),
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
    // Several pipelines may be named, and each name is looked at.
    Case(
      ["phase", example, "delete-file", "--sub-connect=tcp://127.0.0.1:1", "--sub-connect=tcp://127.0.0.1"], 64,
      "'tcp://127.0.0.1' needs a host and a port"),
    Case(
      ["phase", example, "delete-file", "--push-connect=tcp://127.0.0.1:1", "--push-connect=tcp://*:2"], 64,
      "'tcp://*:2' is one to bind, not one to connect to"),
    Case(["phase", example, "delete-file", "--pull-bind=6000"], 64, "'6000' must begin with tcp://"),
    Case(
      ["phase", example, "delete-file", "--concurrency=1", "--concurrency=2"], 64, "--concurrency is given 2 times"),
    Case(["pipeline", example, "example-one", "--forwarder=tcp://*:6001"], 64, "is one to bind"),
    Case(["pipeline", example, "example-one", "--advertise=tcp://*:5050"], 64, "is one to bind"),
    Case(["forwarder", "--sub-bind=6000"], 64, "'6000' must begin with tcp://"),
    Case(["forwarder", "--pub-bind=tcp://127.0.0.1:99999"], 64, "needs a port from 1 to 65535"),
    Case(
      ["forwarder", "--sub-bind=ipc:///no/such/folder/workers", "--pub-bind=tcp://127.0.0.1:*"], 69,
      "ipc:///no/such/folder/workers"),
    Case(["phase", example, "delete-file", "--memory-limit=0"], 64, "--memory-limit must be at least"),
    Case(["phase", example, "delete-file", "--open-files-limit=4"], 64, "--open-files-limit must be at least"),
    Case(["phase", example, "delete-file", "--timeout=-1"], 64, "--timeout and --drain-timeout are seconds"),
    Case(["statsu"], 64, "'statsu'", "did you mean 'status'?"),
    Case(["requeue", "--bogus"], 64, "Unknown option '--bogus'"),
    Case(["requeue", "--all", "a"], 64, "--all by itself"),
    Case(["delete", "--id-prefix", ""], 64, "--id-prefix is empty"),
    Case(["requeue", "--error", ""], 64, "--error is empty"),
    Case(["jobs", "--phase", ""], 64, "--phase is empty"),
    Case(["jobs", "--state", ""], 64, "--state is empty"),
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
    // Negative numbers, also in a word of their own.
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--priority", "-9"], 64, "-8 to 7"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--delay", "-.5"], 64, "100 years"),
    Case(["jobs", "--limit", "-5"], 64, "--limit must be at least 1"),
    // One value is meant, and none is dropped.
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "--id", "a", "--id=b"], 64, "--id is given 2 times"),
    Case(["delete", "--id-prefix", "a", "--id-prefix", "b"], 64, "--id-prefix is given 2 times"),
    Case(["pause", "--phase=a", "--phase=b", "--phase=c"], 64, "--phase is given 3 times"),
    Case(["status", "-a", "tcp://127.0.0.1:1", "--address", "tcp://127.0.0.1:2"], 64, "is given 2 times"),
    Case(
      ["pipeline", example, "example-one", "--job-pull=tcp://127.0.0.1:1", "--pull-bind=tcp://127.0.0.1:2"], 64,
      "is given 2 times"),
    Case(["run", example, "example-one", "--storage", ""], 64, "--storage is empty"),
    Case(["web", "--token-file="], 64, "--token-file is empty"),
    Case(["web", "--token-file=/dev/null", "--bind=127.0.0.1:0"], 78, "one token of at least 16"),
    Case(["web", "--token-file=no/such/file"], 66, "no/such/file cannot be read: No such file or directory"),
    Case(["web", "--plugin-dir=no/such/folder"], 66, "no/such/folder is not a folder"),
    Case(["web", "--bind=no.such.host.invalid:0"], 69, "no such host is known"),
    Case(["plugins", "verify", ""], 64, "path is empty"),
    Case(["plugins", "build", ""], 64, "folder is empty"),
    Case(["plugins", "nwe", "x"], 64, "did you mean 'plugins new'?"),
    Case(["actions", "stpo", "x"], 64, "did you mean 'actions stop'?"),
    Case(["help", "enqeue"], 64, "did you mean 'enqueue'?"),
    Case([String(repeating: "x", count: 9_000)], 64, "no command 'xxx", "'carbontube --help' lists them"),
    Case(["jobs", "--state", "\u{1b}[2J\nforged"], 64, #"unknown state '\u{1b}[2J\nforged'"#),
    Case(["status", "--address=tcp://\u{1b}[2J:1"], 64, #"'tcp://\u{1b}[2J:1'"#),
    Case(["delete", "--state", "running"], 64, "running jobs cannot be deleted"),
    Case(["requeue", "--state=dead", "--state=waiting"], 64, "waiting jobs cannot be requeued"),
    Case(["enqueue", "tcp://127.0.0.1:5050", "p", "{}", "-"], 64, "give it by itself"),
    Case(["enqueue", "tcp://127.0.0.1:5050", String(repeating: "p", count: 257)], 64, "more than 256 bytes"),
    Case(["enqueue", "ipc:///tmp/carbontube-nobody-listens", "p", "--timeout=0.1"], 69, "nothing listens there"),
    Case(["status", "--address=tcp://no.such.host.invalid:1", "--timeout=0.1"], 69, "'no.such.host.invalid' is known"),
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
    let swapped = try Program.run(
      ["status", "--address", terminals.events, "--timeout=0.2"], in: terminals.folder.path)
    #expect(swapped.status == 69 && swapped.complaint.contains("that is another port of a pipeline"), "\(swapped)")
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
