import Foundation
import PluginTestKit
import Testing

@testable import CarbonTubeCommand

@Suite("Contexts", .timeLimit(.minutes(15)))
struct ContextTests {
  private let folder: PluginTestKit.TemporaryFolder
  private var file: String { "\(folder.path)/deep/er/config.json" }

  init() throws { folder = try PluginTestKit.TemporaryFolder() }

  /// - Parameter environment: beside one that names no coordinator.
  private func run(_ words: [String], _ environment: [String: String] = [:]) throws -> Program.End {
    let own = ["CARBONTUBE_CONFIG": file, "CARBONTUBE_ADDRESS": ""].merging(environment) { _, given in given }
    return try Program.run(words, in: folder.path, environment: own)
  }

  @Test func `are added, used, listed and removed`() throws {
    #expect(try run(["context"]).output.hasPrefix("no contexts in \(file); add one with"))
    #expect(
      try run(["context", "add", "prod", "tcp://10.0.0.1:5050"]).output == "added prod, at tcp://10.0.0.1:5050\n")
    #expect(try run(["context", "add", "lab", "ipc:///tmp/lab", "--use"]).status == 0)
    #expect(
      try run(["context", "list"]).lines.map { $0.split(separator: " ").joined(separator: " ") } == [
        "CURRENT CONTEXT ADDRESS", "* lab ipc:///tmp/lab", "prod tcp://10.0.0.1:5050",
      ])
    #expect(try run(["context", "use", "prod"]).output == "commands go to prod, at tcp://10.0.0.1:5050\n")
    let json = try run(["context", "list", "--json"])
    #expect(json.lines.last == #"{"address":"tcp://10.0.0.1:5050","current":true,"name":"prod"}"#, "\(json)")
    let written = String(decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
    #expect(
      written.contains(#""current" : "prod""#) && written.contains(#""address" : "ipc:///tmp/lab""#), "\(written)")
    let again = try run(["context", "add", "prod", "tcp://10.0.0.2:5050"])
    #expect(again.status == 1 && again.complaint.contains("context prod is there, as tcp://10.0.0.1:5050"), "\(again)")
    #expect(try run(["context", "remove", "prod"]).output == "removed prod; no context is current now\n")
    for words in [["context", "use", "prod"], ["context", "remove", "prod"], ["status", "--context=prod"]] {
      let end = try run(words)
      #expect(end.status == 64 && end.complaint == "carbontube: no context 'prod' in \(file): it has lab\n", "\(end)")
    }
    for (words, part) in [
      (["context", "add", "a b", "ipc:///a"], "no name of a context"),
      (["context", "add", "a", "b"], "must begin with"),
      (["status", "--context=lab", "-a", "ipc:///a"], "either --address or --context"),
      (["enqueue", "p", "--context=lab", "-a", "ipc:///a"], "either --address or --context"),
      (["enqueue", "ipc:///a", "p", "--context=lab"], "given twice"), (["status", "--context="], "--context is empty"),
    ] {
      let end = try run(words)
      #expect(end.status == 64 && end.complaint.contains(part), "\(words): \(end)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/deep/er") == ["config.json"])
  }

  @Test func `say where commands go, behind the command line and the environment`() throws {
    let terminals = try Terminals(storage: "memory:")
    #expect(try run(["context", "add", "here", terminals.jobs]).status == 0)
    #expect(try run(["context", "add", "nowhere", "ipc://\(folder.path)/nobody", "--use"]).status == 0)
    let fast = ["status", "--timeout=0.3"]
    func asked(_ words: [String], _ environment: [String: String] = [:]) throws -> String {
      let end = try run(fast + words, environment)
      return end.status == 0 ? "here" : end.complaint.contains("\(folder.path)/nobody") ? "nowhere" : end.complaint
    }
    #expect(try asked([]) == "nowhere")
    #expect(try asked(["--context=here"]) == "here")
    #expect(try asked(["-a", terminals.jobs]) == "here")
    #expect(try asked([], ["CARBONTUBE_ADDRESS": terminals.jobs]) == "here")
    #expect(try asked(["--context=nowhere"], ["CARBONTUBE_ADDRESS": terminals.jobs]) == "nowhere")
    #expect(try run(["enqueue", "example-one", "{}", "--context", "here", "--id=a"]).output == "a\n")
    #expect(try run(["context", "use", "here"]).status == 0)
    #expect(try run(["enqueue", "example-one", "{}", "--id=b"]).output == "b\n")
    #expect(try run(["job", "b"]).status == 0)
  }

  @Test(arguments: [
    ("", "it is not JSON"), ("[]", "no JSON object"), (#"{"context": {}}"#, "'context': is not known"),
    (#"{"contexts": {"a": {}}}"#, "'contexts.a.address': is missing"),
    (#"{"contexts": {"a": {"address": 5}}}"#, "'contexts.a.address': is of another type"),
    (#"{"contexts": {"a": {"address": "10.0.0.1"}}}"#, "context a: address '10.0.0.1' must begin"),
    (#"{"contexts": {"a b": {"address": "ipc:///a"}}}"#, "'a b' is no name"),
    (#"{"contexts": {}, "current": "a"}"#, "no context is called so"), (#"{"current": ["a"]}"#, "'current': is of"),
  ])
  func `A file that is none is one line, whatever command finds it`(text: String, part: String) throws {
    try folder.write(Array(text.utf8), to: "bad.json")
    for words in [["status"], ["enqueue", "p", "{}"], ["context", "list"], ["context", "add", "x", "ipc:///a"]] {
      let end = try run(words, ["CARBONTUBE_CONFIG": "\(folder.path)/bad.json"])
      #expect(end.status == 78 && end.complaint.contains(part), "\(words): \(end)")
      #expect(end.complaint.hasPrefix("carbontube: \(folder.path)/bad.json") && end.complaint.hasSuffix("\n"))
      #expect(end.complaint.split(separator: "\n").count == 1, "\(end)")
    }
    // Who says where the coordinator is needs no contexts.
    let named = try run(
      ["status", "-a", "ipc://\(folder.path)/nobody", "--timeout=0.3"],
      ["CARBONTUBE_CONFIG": "\(folder.path)/bad.json"])
    #expect(named.status == 69, "\(named)")
  }

  @Test func `A file that cannot be read is told, and one that is named must be there`() throws {
    let missing = try run(["status"])
    #expect(missing.status == 66 && missing.complaint.contains("CARBONTUBE_CONFIG: \(file) is not there"), "\(missing)")
    let directory = try run(["status"], ["CARBONTUBE_CONFIG": folder.path])
    #expect(directory.status == 66 && directory.complaint.contains("cannot be read: Is a directory"), "\(directory)")
    try folder.write(Array("{}".utf8), to: "file")
    let below = try run(["context", "add", "a", "ipc:///a"], ["CARBONTUBE_CONFIG": "\(folder.path)/file/config.json"])
    #expect(below.status == 66 && below.complaint.contains("Not a directory"), "\(below)")
    if geteuid() != 0 {
      try folder.write(Array("{}".utf8), to: "secret")
      chmod("\(folder.path)/secret", 0)
      let denied = try run(["status"], ["CARBONTUBE_CONFIG": "\(folder.path)/secret"])
      #expect(denied.status == 77 && denied.complaint.contains("Permission denied"), "\(denied)")
    }
  }

  @Test func `stand where the environment says`() {
    #expect(ContextFile.path(in: ["HOME": "/h"]) == "/h/.config/carbontube/config.json")
    #expect(ContextFile.path(in: ["HOME": "/h", "XDG_CONFIG_HOME": "/x"]) == "/x/carbontube/config.json")
    #expect(ContextFile.path(in: ["HOME": "/h", "XDG_CONFIG_HOME": "x"]) == "/h/.config/carbontube/config.json")
    #expect(ContextFile.path(in: ["XDG_CONFIG_HOME": "/x", "CARBONTUBE_CONFIG": "c"]) == "c")
    #expect(ContextFile.path(in: ["HOME": "", "CARBONTUBE_CONFIG": ""]) == nil)
  }
}
