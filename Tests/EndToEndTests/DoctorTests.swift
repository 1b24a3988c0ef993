import Foundation
import PluginTestKit
import Testing

@Suite("carbontube doctor", .timeLimit(.minutes(15)))
struct DoctorTests {
  private let folder: TemporaryFolder
  private let plugins: String

  init() throws {
    folder = try TemporaryFolder()
    plugins = "\(folder.path)/plugins"
    try FileManager.default.createDirectory(atPath: plugins, withIntermediateDirectories: false)
    try FileManager.default.copyItem(atPath: Terminals.library, toPath: "\(plugins)/libExample.so")
  }

  private func doctor(_ words: [String] = [], _ environment: [String: String] = [:]) throws -> Program.End {
    let own = ["CARBONTUBE_PLUGIN_PATH": "", "CARBONTUBE_STATE_DIR": "\(folder.path)/state"]
    return try Program.run(
      ["doctor"] + words, in: folder.path, environment: own.merging(environment) { _, given in given })
  }

  @Test func `Says what is there, and nothing is wrong where nothing is`() throws {
    let terminals = try Terminals(storage: "memory:")
    let end = try doctor(["--address", terminals.jobs, "--json"])
    #expect(end.status == 0 && end.complaint.isEmpty, "\(end)")
    let findings = try end.lines.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String])
    }
    let states = Dictionary(findings.map { ($0["about"] ?? "", $0["state"] ?? "") }) { $1 }
    for about in ["plugin host", "state folder", "open files", "plugins"] { #expect(states[about] == "ok", "\(end)") }
    let coordinator = findings.last?["text"] ?? ""
    #expect(coordinator.contains("pipeline example-one, workers: 0"), "\(coordinator)")
  }

  @Test func `Each thing that is wrong is a line that says what to do`() throws {
    try folder.write("no plugin".utf8, to: "plugins/libBroken.so")
    let end = try doctor(
      ["--timeout", "0.2"],
      ["CARBONTUBE_ADDRESS": "ipc://\(folder.path)/nobody", "CARBONTUBE_STATE_DIR": "/proc/carbontube"])
    #expect(end.status == 1 && end.complaint.contains("need to be mended"), "\(end)")
    let faults = end.lines.filter { $0.hasPrefix("fault") }
    for part in ["libBroken.so: ", "CARBONTUBE_STATE_DIR", "nobody"] {
      #expect(faults.contains { $0.contains(part) }, "\(part): \(end)")
    }
  }

  @Test func `A host that is not there is told`() throws {
    let end = try doctor([], ["CARBONTUBE_PLUGIN_HOST": "\(folder.path)/none"])
    #expect(end.status == 1, "\(end)")
    #expect(end.lines.contains { $0.hasPrefix("fault  plugin host") && $0.contains("No such file") }, "\(end)")
  }
}
