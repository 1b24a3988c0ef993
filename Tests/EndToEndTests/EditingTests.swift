import Foundation
import PluginTestKit
import Testing

@Suite("requeue --instructions", .timeLimit(.minutes(15)))
struct EditingTests {
  private let terminals: Terminals

  init() throws {
    terminals = try Terminals(storage: "memory:", options: ["--no-schema-check"])
    let words = ["enqueue", "example-one", #"{"size": -1}"#, "--id=bad", "-a", terminals.jobs]
    _ = try Program.run(words, in: terminals.folder.path)
  }

  private func carbontube(_ words: String..., input: String? = nil) throws -> Program.End {
    try Program.run(words + ["-a", terminals.jobs], in: terminals.folder.path, input: input)
  }

  private func instructions() throws -> String {
    let job = try carbontube("job", "bad", "--json").output
    return String(job.drop { $0 != "}" }.isEmpty ? "" : job.components(separatedBy: #""instructions":"#).last ?? "")
  }

  @Test func `A dead job ends well with instructions that are right`() throws {
    try terminals.addWorkers(1)
    let dead = try carbontube("enqueue", "example-one", #"{"size": -1}"#, "--id=other", "--wait")
    #expect(dead.status == 1, "\(dead)")
    let end = try carbontube("requeue", "other", "--instructions", #"{"size": 3, "n": 12345678901234567890}"#)
    #expect(end.status == 0 && end.output == "requeued 1 job\n", "\(end)")
    let job = try terminals.client.waitForEnd(of: "other", timeoutMilliseconds: 60_000)
    #expect(job.state == .succeeded)
    #expect(String(decoding: job.instructions, as: UTF8.self).hasPrefix(#"{"size": 3, "n": 12345678901234567890"#))
  }

  @Test func `A word, a file or stdin bring them, and nothing is changed by what is wrong`() throws {
    let folder = terminals.folder
    try folder.write(Array("{\n  \"size\": 5\n}\n".utf8), to: "good.json")
    try folder.write(Array("{\"size\": }".utf8), to: "bad.json")
    let large = #"{"a": ""# + String(repeating: "x", count: 16 << 20) + #""}"#
    try folder.write(Array(large.utf8), to: "large.json")
    let early = try carbontube("requeue", "bad", "--instructions={}")
    #expect(early.status == 1 && early.complaint.contains("job 'bad' is waiting"), "\(early)")
    _ = try carbontube("cancel", "bad")
    for (words, status, part) in [
      (["--instructions=[1]"], 65, "JSON object"),
      (["--instructions", "@bad.json"], 65, "bad.json: instructions must be"),
      (["--instructions=@large.json"], 65, "large.json: instructions are larger than the limit of 16777216 bytes"),
      (["--instructions=@none.json"], 66, "cannot read none.json: No such file"),
      (["--instructions=@."], 66, "cannot read .: Is a directory"),
      (["--instructions=-"], 65, "stdin: instructions must"),
      (["--instructions="], 64, "--instructions is empty"), (["other", "--instructions={}"], 64, "for one job"),
      (["--instructions={}", "--state=dead"], 64, "for one job"),
    ] as [([String], Int32, String)] {
      let end = try Program.run(["requeue", "bad", "-a", terminals.jobs] + words, in: folder.path)
      #expect(end.status == status && end.complaint.contains(part), "\(words): \(end)")
      let lines = end.complaint.split(separator: "\n").filter { !$0.hasPrefix("Usage:") && !$0.hasPrefix("  See ") }
      #expect(lines.count == 1, "\(end.complaint)")
    }
    #expect(try instructions() == #"{"size": -1}}"# + "\n")
    #expect(try carbontube("requeue", "bad", "--instructions", "@good.json").status == 0)
    #expect(try instructions() == "{\n  \"size\": 5\n}\n}\n")
    _ = try carbontube("cancel", "bad")
    #expect(try carbontube("requeue", "bad", "--instructions", "-", "--json", input: "{\"size\":6}\n").status == 0)
    #expect(try instructions() == "{\"size\":6}\n}\n")
    let nobody = try carbontube("requeue", "nobody", "--instructions={}")
    #expect(nobody.status == 1 && nobody.complaint.contains("no job 'nobody'"), "\(nobody)")
  }
}
