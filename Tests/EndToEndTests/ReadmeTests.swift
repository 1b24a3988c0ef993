import CarbonTube
import Foundation
import PluginTestKit
import Testing

/// What README.md and docs/ show is what happens.
@Suite("README", .timeLimit(.minutes(15)))
struct ReadmeTests {
  func document(_ name: String) throws -> String {
    String(decoding: try contents(of: "\(packageFolder)/\(name)"), as: UTF8.self)
  }

  func blocks(_ language: String, in document: String) -> [String] {
    var blocks: [String] = []
    var open: [Substring]?
    for line in document.split(separator: "\n", omittingEmptySubsequences: false) {
      if let block = open {
        if line == "```" {
          blocks.append(block.joined(separator: "\n"))
          open = nil
        } else {
          open = block + [line]
        }
      } else if line == "```\(language)" {
        open = []
      }
    }
    return blocks
  }

  private func freePort() throws -> UInt16 {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length) | getsockname(socket, $0, &length)
      }
    }
    guard status == 0 else { throw Unexpected("no free port") }
    return UInt16(bigEndian: address.sin_port)
  }

  /// In a copy of a checkout after scripts/build, all in one shell, on ports that are free.
  @Test func `Every command that README shows works`() throws {
    let checkout = try TemporaryFolder()
    var script = try blocks("sh", in: document("README.md")).joined(separator: "\n")
    #expect(script.contains("carbontube pipeline ") && script.contains("carbontube requeue "))
    for port in ["5050", "6000", "8080"] {
      script = script.replacingOccurrences(of: "127.0.0.1:\(port)", with: "127.0.0.1:\(try freePort())")
    }
    let arranged = """
      set -e
      mkdir bin plugins
      ln -s \(buildFolder)/carbontube \(buildFolder)/carbontube-plugin-host bin/
      cp \(buildFolder)/libExample.so \(buildFolder)/libHashFile.so plugins/
      chmod go-w . plugins plugins/*
      trap 'kill $(jobs -p)' EXIT
      \(script)
      """
    let end = try Program(
      "/bin/bash", ["-c", arranged], in: checkout.path,
      environment: ["TMPDIR": checkout.path, "CARBONTUBE_PLUGIN_PATH": ""]
    ).end()
    #expect(end.status == 0, "\(end.complaint)")
    for part in [
      "1  succeeded", "job nightly-1: ", "cancelled later-1", "requeued 0 jobs", "paused delete-file", "ready",
      "up{pipeline",
    ] {
      #expect(end.output.contains(part), "\(part) in \(end.output)")
    }
  }

  @Test func `The scripts that README names are there`() throws {
    let readme = try document("README.md")
    for script in ["scripts/demo", "scripts/test", "scripts/build"] {
      #expect(readme.contains(script))
      #expect(access("\(packageFolder)/\(script)", X_OK) == 0)
    }
    for link in try readme.matches(of: Regex(#"\]\(([^)#:]+)\)"#)) {
      let path = String(readme[try #require(link[1].range)])
      #expect(access("\(packageFolder)/\(path)", F_OK) == 0, "\(path)")
    }
  }

  @Test func `The code that README shows is code of this package`() throws {
    let sources = try [
      "Plugins/Example/DeleteFile.swift", "Plugins/Example/ExampleOne.swift",
      "Tests/EndToEndTests/EmbeddingTests.swift", "Tests/Fixtures/ShelfPackage/Sources/shelftube/main.swift",
    ].map { file in
      // What a test runs lies in folders of its own.
      try unindented(document(file)).replacing(#"\(folder)/"#, with: "").replacing(#"\(plugins)"#, with: "plugins")
        .replacing("(_ folder: String, _ plugins: String) async throws -> JobEnd", with: "() async throws")
    }
    let shown = blocks("swift", in: try document("README.md"))
    #expect(shown.count == 5)
    // The manifest is tried by EmbeddingTests.
    for block in shown where !block.contains("import PackageDescription") {
      let lines = unindented(block).replacing("import CarbonTube\n", with: "").replacing("@main ", with: "")
      // A test looks at what comes out before the braces close.
      let open = lines.replacing(#/(\n})+$/#, with: "")
      #expect(sources.contains { $0.contains(open) }, "\(block)")
    }
  }

  private func unindented(_ text: String) -> String {
    text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: "\n")
  }

  @Test func `A client written from docs/wire-protocol.md alone works`() throws {
    let terminals = try Terminals(storage: "memory:")
    let script = "\(packageFolder)/Tests/EndToEndTests/Resources/wire_client.py"
    for instructions in [#"{"size": 1}"#, #"{"a": "\#(String(repeating: "x", count: 5_000))"}"#] {
      let end = try Program(
        "/usr/bin/python3", [script, terminals.jobs, "example-one", instructions, "100"], in: terminals.folder.path
      ).end()
      #expect(end.status == 0 && Set(end.lines).count == 100, "\(end)")
      #expect(end.complaint.contains(#"["generate-file", "calculate-hash", "delete-file"]"#), "\(end.complaint)")
    }
    let refused = try Program(
      "/usr/bin/python3", [script, terminals.jobs, "example-one", "[]"], in: terminals.folder.path
    ).end()
    #expect(refused.status == 1 && refused.complaint.contains("JSON object"))
    #expect(try terminals.status().phases[0].waiting == 200)
  }

  @Test func `A worker written from docs/wire-protocol.md alone works`() throws {
    let terminals = try Terminals(storage: "memory:")
    let script = "\(packageFolder)/Tests/EndToEndTests/Resources/wire_worker.py"
    func worker(_ words: String...) throws -> Program {
      try Program("/usr/bin/python3", [script, terminals.events] + words, in: terminals.folder.path)
    }
    let refused = try worker("no-such-phase", "1").end()
    #expect(refused.status == 1 && refused.complaint.contains("refused: 1 "), "\(refused)")
    #expect(refused.complaint.contains("pipeline example-one has no phase 'no-such-phase'"), "\(refused)")
    let ids = try terminals.enqueue(12)
    let first = try worker("generate-file", "5", "same").end()
    #expect(first.status == 0 && Set(first.lines).count == 5 && Set(first.lines).isSubset(of: ids), "\(first)")
    let status = try terminals.awaitStatus("the worker has left") { $0.workers.isEmpty }
    #expect(status.phases.map(\.waiting) == [7, 5, 0] && status.unfinished == 12, "\(status)")
    let ran = try terminals.allJobs().filter { $0.instructions["ran_by"] as? String == "python" }
    #expect(Set(ran.map(\.job.id)) == Set(first.lines))
    // An id is one worker's at a time.
    let holder = try worker("generate-file", "9999", "same")
    try terminals.awaitStatus("the rest") { $0.phases.map(\.waiting) == [0, 12, 0] }
    let second = try worker("generate-file", "1", "same").end()
    #expect(second.status == 1 && second.complaint.contains("refused: 2 "), "\(second)")
    #expect(second.complaint.contains("a worker with the id 'same' is there already"), "\(second)")
    try holder.killAndWait()
  }
}
