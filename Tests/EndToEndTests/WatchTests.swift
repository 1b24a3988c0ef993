import Foundation
import PluginTestKit
import Testing

@Suite("--watch without a terminal", .timeLimit(.minutes(15)))
struct WatchTests {
  private let terminals: Terminals

  init() throws { terminals = try Terminals(storage: "memory:") }

  @Test func `Pages follow each other, through a restart of the coordinator, until a signal`() throws {
    let watch = try Program(
      "carbontube", ["status", "--watch", "0.1", "-a", terminals.jobs], in: terminals.folder.path)
    _ = try watch.line(holding: "at 20")
    _ = try terminals.enqueue(1)
    _ = try watch.line(holding: "generate-file   1 ")
    try terminals.killCoordinator()
    _ = try watch.complaint(holding: "waiting for it")
    try terminals.restartCoordinator()
    _ = try terminals.enqueue(2)
    _ = try watch.line(holding: "generate-file   2 ")
    watch.send(SIGINT)
    let end = try watch.end()
    #expect(end.status == 0, "\(end)")
    #expect(end.complaint.split(separator: "\n").count == 1, "said once: \(end.complaint)")
    #expect(!end.output.contains("\u{1B}"))
  }

  @Test func `With --json documents follow each other`() throws {
    let watch = try Program(
      "carbontube", ["jobs", "--json", "--watch=0.1", "-a", terminals.jobs], in: terminals.folder.path)
    let id = try terminals.enqueue(1)[0]
    let line = try watch.line(holding: id)
    #expect(line.hasPrefix("{") && line.hasSuffix("}"), "\(line)")
    watch.send(SIGTERM)
    let end = try watch.end()
    #expect(end.status == 0 && end.lines.allSatisfy { $0.hasPrefix("{") }, "\(end)")
  }

  @Test func `Ctrl-C does not wait for a coordinator that says nothing`() throws {
    let watch = try Program("carbontube", ["workers", "--watch", "-a", terminals.jobs], in: terminals.folder.path)
    _ = try watch.line(holding: "no workers")
    terminals.coordinator.send(SIGSTOP)
    defer { terminals.coordinator.send(SIGCONT) }
    _ = try watch.complaint(holding: "waiting for it")
    watch.send(SIGINT)
    let end = try watch.end(withinSeconds: 2)
    #expect(end.status == 0, "\(end)")
  }

  @Test func `Where nobody is there at first, there is nothing to watch`() throws {
    let end = try Program.run(
      ["jobs", "--watch", "-a", "ipc:///tmp/carbontube-nobody-listens", "--timeout=0.3"], in: terminals.folder.path)
    #expect(end.status == 69 && end.complaint.contains("no coordinator answers"), "\(end)")
  }

  @Test func `A reader that leaves ends it`() throws {
    let script = "set -o pipefail; \(buildFolder)/carbontube status --watch 0.1 -a \(terminals.jobs) | head -n 1"
    let end = try Program("/bin/bash", ["-c", script], in: terminals.folder.path).end()
    #expect(end.status == 0 && end.lines.count == 1 && end.complaint.isEmpty, "\(end)")
  }
}
