import Foundation
import PluginTestKit
import Testing

@Suite("CARBONTUBE_ADDRESS", .timeLimit(.minutes(15)))
struct CoordinatorAddressTests {
  private let terminals: Terminals

  init() throws { terminals = try Terminals(storage: "memory:") }

  private func run(_ arguments: [String], _ address: String) throws -> Program.End {
    try Program.run(arguments, in: terminals.folder.path, environment: ["CARBONTUBE_ADDRESS": address])
  }

  @Test(arguments: ["status", "workers", "jobs", "metrics", "logs", "actions", "pause", "resume", "requeue --all"])
  func `is where commands find the coordinator`(command: String) throws {
    let words = command.split(separator: " ").map(String.init)
    let end = try run(words, terminals.jobs)
    #expect(end.status == 0, "\(end)")
    let malformed = try run(words, "127.0.0.1:5050")
    #expect(malformed.status == 64 && malformed.complaint.split(separator: "\n").count == 1, "\(malformed)")
    #expect(malformed.complaint.contains("CARBONTUBE_ADDRESS: address '127.0.0.1:5050' must begin"), "\(malformed)")
    let other = try run(words + ["-a", terminals.jobs], "127.0.0.1:5050")
    #expect(other.status == 0, "-a goes before it: \(other)")
  }

  @Test func `lets enqueue do without an address`() throws {
    let there = terminals.jobs
    let short = try run(["enqueue", "example-one", #"{"size": 1}"#, #"{"size": 2}"#], there)
    #expect(short.status == 0 && short.lines.count == 2, "\(short)")
    let bare = try run(["enqueue", "example-one", "--id", "bare"], there)
    #expect(bare.status == 0 && bare.output == "bare\n", "\(bare)")
    // An address goes before the variable, in front as well as by -a.
    let nobody = "ipc:///tmp/carbontube-nobody-listens"
    let first = try run(["enqueue", there, "example-one", "{}"], nobody)
    #expect(first.status == 0, "\(first)")
    let option = try run(["enqueue", "-a", there, "example-one", "{}"], nobody)
    #expect(option.status == 0, "\(option)")
    #expect(try terminals.status().phases[0].waiting == 5)
  }

  @Test(arguments: [
    (["enqueue", "example-one", "{}"], "", "must begin with tcp:// or ipc://", "CARBONTUBE_ADDRESS says it"),
    (["enqueue", "example-one", "{}"], "foo", "CARBONTUBE_ADDRESS: address 'foo'", "must begin"),
    (["enqueue", "127.0.0.1:5050", "example-one"], "tcp://127.0.0.1:1", "address '127.0.0.1:5050'", "must begin"),
    (["enqueue", "tcp://127.0.0.1:1"], "tcp://127.0.0.1:1", "name the pipeline", ""),
    (["enqueue", "tcp://127.0.0.1:1", "p", "-a", "tcp://127.0.0.1:2"], "", "given twice", "give it once"),
    (["web", "--bind=127.0.0.1:0"], "foo", "CARBONTUBE_ADDRESS: address 'foo'", "must begin"),
  ])
  func `is told apart from what was mistyped`(words: [String], value: String, part: String, other: String) throws {
    let end = try run(words, value)
    #expect(end.status == 64 && end.complaint.contains(part), "\(end)")
    #expect(other.isEmpty || end.complaint.contains(other), "\(end)")
    let lines = end.complaint.split(separator: "\n").filter { !$0.hasPrefix("Usage:") && !$0.hasPrefix("  See ") }
    #expect(lines.count == 1, "\(end)")
  }

  @Test func `is no matter where no coordinator is asked`() throws {
    #expect(try run(["version"], "foo").status == 0)
    #expect(try run(["status", "--help"], "foo").output.contains("CARBONTUBE_ADDRESS"))
  }
}
