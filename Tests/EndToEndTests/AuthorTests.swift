import Foundation
import PluginTestKit
import Testing

/// From nothing to a phase that serves jobs, as docs/plugins.md tells it, in every language that there is a template for.
@Suite(.serialized, .timeLimit(.minutes(15))) struct AuthorTests {
  private let author: AuthorFolder
  private var folder: TemporaryFolder { author.folder }

  init() throws { author = try AuthorFolder() }

  private func shell(_ script: String) throws -> Program.End { try author.shell(script) }

  @Test(arguments: ["cpp", "rust"]) func aNewProjectPassesItsOwnTest(language: String) throws {
    let end = try shell(
      """
      set -e
      carbontube plugins new resize-image --language \(language)
      resize-image/test
      carbontube run resize-image/build/libResizeImage.so resize-image '{"name": "Grace"}' --json
      """)
    #expect(end.status == 0, "\(end.complaint)")
    #expect(end.output.contains("resize-image: passed") && end.output.contains("Hello, Grace"), "\(end.output)")
  }

  @Test func aNewProjectInSwiftHasTestsOfItsPhaseThatPass() throws {
    let end = try shell("carbontube plugins new resize-image && cd resize-image && swift test")
    #expect(end.status == 0, "\(end.complaint)")
    #expect((end.output + end.complaint).contains("Test run with 3 tests in 1 suite passed"), "\(end)")
  }

  @Test(arguments: [0, 1]) func theTutorialServesAJob(index: Int) throws {
    let text = String(decoding: try contents(of: "\(packageFolder)/docs/plugins.md"), as: UTF8.self)
    let blocks = text.components(separatedBy: "```sh\n").dropFirst().compactMap {
      $0.components(separatedBy: "\n```").first
    }
    try #require(blocks.count == 2)
    var script = blocks[index]
    for port in ["5050", "6000"] {
      script = script.replacingOccurrences(of: "tcp://127.0.0.1:\(port)", with: "ipc://\(folder.path)/\(port)")
    }
    let end = try shell(
      """
      set -e
      trap 'kill $(jobs -p)' EXIT
      \(script)
      until carbontube job first --address ipc://\(folder.path)/5050 | tee last | grep -q succeeded; do read -t 0.1 <> <(:) || :; done
      cat last
      """)
    #expect(end.status == 0, "\(end.complaint)")
    #expect(end.output.contains("greet: passed"), "\(end.output)")
  }

  @Test func aSelfContainedPluginNeedsNoSwiftBesideIt() throws {
    let end = try shell(
      """
      set -e
      carbontube plugins new greet
      carbontube plugins build greet --self-contained
      ldd greet/build/libGreet.so >&2
      ! ldd greet/build/libGreet.so | grep -i swift
      carbontube plugins test greet/build/libGreet.so greet '{"name": "Ada"}'
      """)
    #expect(end.status == 0, "\(end.complaint)")
    #expect(end.lines.last == #"{"greeting":"Hello, Ada"}"#, "\(end.output)")
  }

  @Test func saysWhatIsWrong() throws {
    func complaint(_ arguments: [String]) throws -> (Int32, String) {
      let end = try author.carbontube(arguments)
      return (end.status, end.complaint)
    }
    #expect(try complaint(["plugins", "new", "Resize"]).0 == 64)
    #expect(try complaint(["plugins", "new", "sdk"]).1.contains("sdk is there already"))
    #expect(try complaint(["plugins", "build", "cargo"]).0 == 66)
    #expect(try complaint(["plugins", "build", "cargo"]).1.contains("carbontube plugins new"))
  }
}
