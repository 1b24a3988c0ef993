import CarbonTube
import Foundation
import PluginTestKit
import Testing

/// What README.md and docs/ show is what happens.
@Suite("README", .timeLimit(.minutes(5)))
struct ReadmeTests {
  private func document(_ name: String) throws -> String {
    String(decoding: try contents(of: "\(packageFolder)/\(name)"), as: UTF8.self)
  }

  private func blocks(_ language: String, in document: String) -> [String] {
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
      environment: ["CARBONTUBE_EXAMPLE_DIR": checkout.path, "CARBONTUBE_PLUGIN_PATH": ""]
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
      "Plugins/FileHashing/CalculateHash.swift", "Plugins/Example/ExampleOne.swift",
      "Tests/EndToEndTests/ReadmeTests.swift",
    ].map { try unindented(document($0)) }
    let shown = blocks("swift", in: try document("README.md"))
    #expect(shown.count == 3)
    for block in shown {
      #expect(sources.contains { $0.contains(unindented(block)) }, "\(block)")
    }
  }

  private func unindented(_ text: String) -> String {
    text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: "\n")
  }

  @Test func `A program embeds a coordinator and a client`() throws {
    let temporary = try TemporaryFolder()
    let folder = temporary.path
    var settings = PipelineServerSettings()
    settings.intakeAddress = "tcp://127.0.0.1:*"
    settings.eventsAddress = "tcp://127.0.0.1:*"
    let server = try PipelineServer(
      name: "greetings", phases: ["greet", "send"], concurrency: 8,
      storage: try jobStore(at: "sqlite:\(folder)/greetings.db"), settings: settings)
    server.start()
    let client = PipelineClient(server.intakeAddress, hwm: 10)
    try client.connect()
    let (ok, payload) = try client.enqueueJob(pipeline: "greetings", #"{"name": "Ada"}"#, id: "ada-1")
    print(ok, payload.id ?? payload.message)
    #expect(ok && payload.id == "ada-1")
    let again = try client.enqueueJob(pipeline: "greetings", #"{"name": "Ada"}"#, id: "ada-1")
    #expect(again.ok && again.payload.code == .duplicate)
    _ = try client.request("cancel", arguments: Array(#"{"id": "ada-1"}"#.utf8))
    #expect(try client.waitForEnd(of: "ada-1").state == .cancelled)
    server.stop()
    withExtendedLifetime(temporary) {}
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
}
