import ControlProtocol
import Foundation
import PluginTestKit
import Testing

@Suite("Workers, and what --json says of changes", .timeLimit(.minutes(15)))
struct WorkerCommandTests {
  private let terminals: Terminals

  init() throws { terminals = try Terminals(storage: "memory:") }

  private func run(_ words: String...) throws -> Program.End {
    try Program.run(words + ["-a", terminals.jobs], in: terminals.folder.path)
  }

  private func workers(_ words: String...) throws -> [StatusDocument.Worker] {
    let end = try Program.run(["workers", "--json", "-a", terminals.jobs] + words, in: terminals.folder.path)
    guard end.status == 0 else { throw Unexpected(end.complaint) }
    return try end.lines.map { try ControlJSON.value(StatusDocument.Worker.self, from: Array($0.utf8)) }
  }

  @Test func `are listed and drained by name, by phase, by host and all`() throws {
    for jobType in ["generate-file", "generate-file", "generate-file", "delete-file"] {
      try terminals.addWorker(jobType, ["--concurrency=2"])
    }
    try terminals.awaitStatus("four workers") { $0.workers.count { $0.state == "serving" } == 4 }
    let all = try workers()
    #expect(all.count == 4 && all.allSatisfy { $0.concurrency == 2 && $0.inFlight == 0 && $0.plugin.count == 12 })
    #expect(try workers("--phase=delete-file").map(\.jobType) == ["delete-file"])
    #expect(try workers("--host=\(all[0].host)").count == 4 && workers("--host=elsewhere").isEmpty)

    let one = try #require(all.first { $0.jobType == "generate-file" }).id
    let named = try run("drain", one, "nosuch", one)
    #expect(named.status == 1 && named.output == "draining \(one)\n", "all that can be is done: \(named)")
    #expect(named.complaint.contains("no worker 'nosuch'") && named.complaint.contains("1 of 2 workers"), "\(named)")
    try terminals.awaitStatus("three workers") { $0.workers.count == 3 }

    let phase = try run("drain", "--phase=delete-file", "--json")
    #expect(phase.status == 0 && phase.output.contains(#""command":"drain","ok":true,"target":""#), "\(phase)")
    try terminals.awaitStatus("two workers") { $0.workers.map(\.jobType) == ["generate-file", "generate-file"] }

    let nobody = try run("drain", "--host=elsewhere")
    #expect(nobody.status == 0 && nobody.output.isEmpty && nobody.complaint.contains("no workers"), "\(nobody)")
    let rest = try run("drain", "--host=\(all[0].host)", "--phase=generate-file")
    #expect(rest.status == 0 && rest.lines.count == 2, "\(rest)")
    try terminals.awaitStatus("no workers") { $0.workers.isEmpty }
    #expect(try run("workers").output == "no workers\n")
    for worker in terminals.workers { #expect(try worker.end().status == 0) }

    try terminals.addWorker("delete-file")
    try terminals.awaitStatus("a worker") { $0.workers.count == 1 }
    #expect(try run("drain", "--all").lines.count == 1)
    try terminals.awaitStatus("no workers") { $0.workers.isEmpty }
  }

  @Test func `Nothing named never means every worker`() throws {
    for words in [["drain"], ["drain", "--all", "--phase=x"], ["drain", "w", "--host=h"]] {
      let end = try Program.run(words + ["-a", terminals.jobs], in: terminals.folder.path)
      #expect(end.status == 64 && end.complaint.contains("name workers by id"), "\(end)")
    }
    let unknown = try run("drain", "--phase=nosuch")
    #expect(unknown.status == 1 && unknown.complaint.contains("no phase 'nosuch'"), "\(unknown)")
    #expect(unknown.complaint.contains("generate-file, calculate-hash, delete-file"), "\(unknown)")
  }

  @Test func `Every change tells what became of it in one shape`() throws {
    _ = try terminals.enqueue(2)
    for id in ["a", "b"] {
      _ = try Program.run(["enqueue", terminals.jobs, "example-one", "--id", id], in: terminals.folder.path)
    }
    let cancel = try run("cancel", "a", "nosuch", "--json")
    #expect(cancel.status == 1 && cancel.lines.count == 2, "\(cancel)")
    #expect(cancel.lines.first == #"{"command":"cancel","ok":true,"target":"a"}"#, "\(cancel)")
    #expect(cancel.lines.last?.hasPrefix(#"{"command":"cancel","message":""#) == true, "\(cancel)")
    #expect(cancel.lines.last?.hasSuffix(#"no job 'nosuch'","ok":false,"target":"nosuch"}"#) == true, "\(cancel)")
    #expect(try run("requeue", "a", "--json").output == #"{"command":"requeue","ok":true,"target":"a"}"# + "\n")
    #expect(try run("requeue", "--all", "--json").output == #"{"command":"requeue","count":0,"ok":true}"# + "\n")
    #expect(try run("cancel", "--id-prefix=b", "--json").output == #"{"command":"cancel","count":1,"ok":true}"# + "\n")
    #expect(try run("delete", "b", "--json").output == #"{"command":"delete","ok":true,"target":"b"}"# + "\n")
    #expect(
      try run("pause", "--phase=delete-file", "--json").output
        == #"{"command":"pause","ok":true,"target":"delete-file"}"# + "\n")
    #expect(try run("resume", "--json").output == #"{"command":"resume","ok":true}"# + "\n")
    let unknown = try run("pause", "--phase=nosuch", "--json")
    #expect(unknown.status == 1 && unknown.output.contains(#""ok":false,"target":"nosuch""#), "\(unknown)")
  }

  @Test func `So do plugins verify and version`() throws {
    let folder = terminals.folder
    let good = try Program.run(["plugins", "verify", Terminals.library, "--json"], in: folder.path)
    #expect(good.output == #"{"command":"plugins verify","ok":true,"target":"\#(Terminals.library)"}"# + "\n")
    try folder.write(Array("none".utf8), to: "bad.so")
    let bad = try Program.run(["plugins", "verify", "bad.so", "--json"], in: folder.path)
    #expect(bad.status == 65 && bad.output.contains(#""ok":false,"target":"bad.so""#), "\(bad)")
    let version = try Program.run(["version", "--json"], in: folder.path)
    #expect(version.output == #"{"plugin_abi":1,"version":"0.1.0","wire_protocol":2}"# + "\n", "\(version)")
  }
}
