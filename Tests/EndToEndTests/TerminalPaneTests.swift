import Foundation
import PluginTestKit
import Testing

@Suite("Commands in a terminal", .timeLimit(.minutes(15)))
struct TerminalPaneTests {
  private let terminals: Terminals

  init() throws {
    terminals = try Terminals(storage: "memory:", options: ["--no-schema-check"])
    try terminals.addWorker("generate-file")
    _ = try terminals.enqueue(3)
    let failing = try Program.run(
      ["enqueue", terminals.jobs, "example-one", #"{"size": -3}"#, "--id", Self.longID], in: terminals.folder.path)
    #expect(failing.status == 0, "\(failing)")
    try terminals.awaitStatus("one dead, three further on") { $0.dead == 1 && $0.phases[1].waiting == 3 }
  }

  private static let longID = "a-job-with-quite-a-name-\(String(repeating: "x", count: 40))"
  private static let reason = "BadInput: size is -3; it must be within 0...10000000"

  private func pane(_ columns: Int, _ environment: [String: String] = [:]) throws -> TerminalPane {
    let own = ["CARBONTUBE_ADDRESS": terminals.jobs, "NO_COLOR": ""]
    let pane = try TerminalPane(columns: columns, environment: own.merging(environment) { _, given in given })
    // However long the path of a checkout is.
    try FileManager.default.createSymbolicLink(
      atPath: "\(pane.folder.path)/built", withDestinationPath: buildFolder)
    return pane
  }

  private static let commands: [(command: String, narrow: [String], wide: [String])] = [
    (
      "status", ["pipeline example-one", "PHASE", "WAITING", "calculate-hash  3", "WORKER", "serving", "nobody ser"],
      ["DELAYED", "SLOTS", "FAILED", "PLUGIN", "HEARD", "nobody serves it: 3 jobs wait"]
    ),
    ("workers", ["WORKER", "generate-file", "SLOTS", "BUSY", "serving"], ["HOST", "BUILD", "SEEN", " ago"]),
    (
      "jobs", ["JOB", "STATE", "dead", "waiting", "a-job-with-", "BadInput: s", "…"],
      [longID, reason, "ATTEMPT", "UPDATED"]
    ),
    ("jobs --oldest --state waiting", ["JOB", "waiting", "calculate-"], ["calculate-hash", "UPDATED"]),
    ("metrics", ["PHASE", "SUCCEEDED", "DEAD", "generate-file"], ["ENQUEUED", "RETRIED", "RAN p50", "WAITED p50"]),
    ("actions", ["ACTION", "VERB", "STATE", "CHANGED"], ["LOOKED AT"]),
    (
      "plugins list --plugin-dir built", ["FILE", "libExample.so", "ok", "generate-fi"],
      ["PIPELINES", "org.carbontube.example", "SHA256"]
    ),
    ("pause --phase delete-file", ["paused delete-file"], []),
    ("drain nosuch", ["no worker 'nosuch'"], []),
    ("version", ["carbontube 0.1.0"], []),
    ("doctor", ["ok     plugin host", "coordinator", "workers: 1;"], []),
    ("--help", ["workers", "drain", "CARBONTUBE_ADDRESS"], []),
    ("job \(longID)", ["dead", reason, "attempt"], []),
    ("logs --level warning", ["dead", "BadInput"], []),
    ("plugins inspect \(Terminals.library)", ["generate-file", "example-one", "sha256"], []),
    ("plugins verify \(Terminals.library)", ["libExample.so: ok"], []),
    ("resume --phase delete-file", ["resumed delete-file"], []),
    ("cancel nosuch", ["nosuch"], []), ("requeue nosuch", ["nosuch"], []), ("delete nosuch", ["nosuch"], []),
    ("enqueue example-one '{}' --id pane-1", ["pane-1"], []),
    ("run --no-schema-check \(Terminals.library) example-one '{\"size\": -1}'", ["dead", "size is -1"], []),
  ]

  /// What these say is as long as what they were given, or a sentence.
  private static let sayLongLines = [
    "doctor",
    "drain", "job ", "logs", "plugins inspect", "plugins verify", "cancel", "requeue", "delete", "run",
  ]

  @Test(arguments: [60, 200])
  func `No line wraps, and what matters is there`(columns: Int) throws {
    let pane = try pane(columns)
    for (command, narrow, wide) in Self.commands {
      let (lines, hasWrapped) = try pane.run("carbontube \(command)")
      let text = lines.joined(separator: "\n")
      if !Self.sayLongLines.contains(where: command.hasPrefix) { #expect(!hasWrapped, "\(command):\n\(text)") }
      for part in narrow + (columns == 200 ? wide : []) where !(columns == 200 && part == "…") {
        // As somebody reads it who minds no ends of lines.
        #expect(text.contains(part) || lines.joined().contains(part), "'\(part)' of \(command):\n\(text)")
      }
    }
  }

  @Test func `States have colours, where the terminal and its owner want some`() throws {
    func colours(_ environment: [String: String]) throws -> String {
      let pane = try pane(100, environment)
      _ = try pane.run("carbontube jobs --state dead")
      return try pane.colouredText()
    }
    #expect(try colours([:]).contains("\u{1B}[31mdead"))
    let doctor = try pane(100)
    _ = try doctor.run("carbontube doctor")
    #expect(try doctor.colouredText().contains("\u{1B}[32mok"))
    #expect(try !colours(["NO_COLOR": "1"]).contains("\u{1B}[31m"))
    #expect(try !colours(["TERM": "dumb"]).contains("\u{1B}[31m"))
    let piped = try pane(100).run("carbontube jobs --state dead | od -c | head -50").lines.joined()
    #expect(!piped.contains("033"), "\(piped)")
  }

  @Test func `status --watch is drawn in place, lives through a restart, and gives the terminal back`() throws {
    let pane = try pane(100)
    try pane.type("clear; carbontube status --watch 0.1")
    try pane.waitFor("the first page") { $0.contains { $0.hasPrefix("calculate-hash  3") } }
    #expect(try pane.value("alternate_on") == "1" && pane.value("cursor_flag") == "0")
    _ = try terminals.enqueue(2)
    let page = try pane.waitFor("the jobs that came") { $0.contains { $0.hasPrefix("calculate-hash  5") } }
    #expect(page.count { $0.hasPrefix("pipeline example-one") } == 1 && page[0].hasPrefix("every 0.1 s"), "\(page)")
    try terminals.killCoordinator()
    let away = try pane.waitFor("that it is away") { $0[0].contains("carbontube: ") }
    #expect(away.contains { $0.hasPrefix("calculate-hash") }, "\(away)")
    try terminals.restartCoordinator()
    try pane.waitFor("that it is back") { $0[0].hasPrefix("every 0.1 s") }
    try pane.press("C-c")
    try pane.waitFor("the shell") { $0.contains("$") || $0.contains("^C$") }
    #expect(try pane.value("alternate_on") == "0" && pane.value("cursor_flag") == "1")
    #expect(try pane.run("true").lines.allSatisfy { $0.isEmpty })
  }

  @Test func `A watch follows the size of the terminal`() throws {
    let pane = try pane(200)
    // So rarely that nothing but the new size can have it drawn again.
    try pane.type("clear; carbontube status --watch 3600")
    try pane.waitFor("the first page") { $0.contains { $0.contains("nobody serves it: 3 jobs wait") } }
    try pane.resize(columns: 60)
    try pane.waitFor("a page that fits") { $0.contains { $0.contains("nobody") && $0.hasSuffix("…") } }
    try pane.press("C-c")
    try pane.waitFor("the shell") { !$0.contains { $0.hasPrefix("every") } }
  }

  @Test func `A watch that is suspended gives the terminal back until it goes on`() throws {
    let pane = try pane(100)
    try pane.type("clear; carbontube jobs --watch 0.1; echo code $?")
    try pane.waitFor("the first page") { $0.contains { $0.hasPrefix("JOB") } }
    try pane.press("C-z")
    try pane.waitFor("the shell") { $0.contains { $0.contains("Stopped") } }
    #expect(try pane.value("alternate_on") == "0" && pane.value("cursor_flag") == "1")
    try pane.type("fg; echo ended $?")
    try pane.waitFor("the page again") { $0.contains { $0.hasPrefix("every 0.1 s") } }
    #expect(try pane.value("alternate_on") == "1")
    try pane.press("C-c")
    try pane.waitFor("its end") { $0.contains("ended 0") }
  }
}
