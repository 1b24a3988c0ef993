import Foundation
import PluginTestKit
import Testing

/// A store in a package of its own (Tests/Fixtures/ShelfPackage), which has CarbonTube as a dependency.
@Suite("A store of another package", .timeLimit(.minutes(30)))
struct OtherPackageTests {
  @Test func `It is built of what is public, and does all that a store must`() throws {
    let folder = try TemporaryFolder()
    let end = try Program(
      "/bin/bash",
      [
        "-c",
        """
        set -e
        cp -r '\(packageFolder)/Tests/Fixtures/ShelfPackage' shelf
        sed -i "s#path: \\"[^\\"]*\\"#path: \\"$1\\"#" shelf/Package.swift
        # The versions that were fetched for this package, as they are: nothing is looked for on the network.
        cp '\(packageFolder)/Package.resolved' shelf
        if ! [ -d "$1/.build/shelf" ]; then
          mkdir "$1/.build/shelf"
          cp -al "$1/.build/checkouts" "$1/.build/workspace-state.json" "$1/.build/shelf"
        fi
        cd shelf
        swift build --scratch-path "$1/.build/shelf" --product shelf-contract >&2
        "$1/.build/shelf/debug/shelf-contract"
        """, "shelf", packageFolder,
      ], in: folder.path
    ).end(withinSeconds: 900)
    #expect(end.status == 0, "\(end)")
    #expect(
      try #/^(\d+) of (\d+) cases of the contract hold$/#.wholeMatch(in: end.lines.last ?? "").map { $0.1 == $0.2 }
        == true)
    withExtendedLifetime(folder) {}
  }

  /// Five lines that register a scheme are all of `carbontube`.
  @Test func `A command line that knows it keeps the jobs of a pipeline in it`() throws {
    let folder = try TemporaryFolder()
    let linked = try Program(
      "/usr/bin/python3",
      [
        "-B", "\(packageFolder)/Tests/EndToEndTests/Resources/link-shelftube.py", packageFolder,
        "\(packageFolder)/Tests/Fixtures/ShelfPackage", folder.path,
      ], in: folder.path
    ).end()
    try #require(linked.status == 0, "\(linked)")
    func shelftube(_ arguments: [String]) throws -> Program.End {
      try Program(
        "\(folder.path)/shelftube", arguments, in: folder.path,
        environment: [
          "TMPDIR": folder.path, "CARBONTUBE_PLUGIN_HOST": "\(buildFolder)/carbontube-plugin-host",
        ]
      ).end()
    }
    let version = try shelftube(["version"])
    #expect(try version.status == 0 && version.output == Program.run(["version"], in: folder.path).output, "\(version)")
    let wrong = try shelftube(["run", "--storage", "shelves:mine", Terminals.library, "example-one", #"{"size": 3}"#])
    #expect(wrong.status == 78 && wrong.complaint.contains("'shelves:…' is not known; write "), "\(wrong)")
    #expect(wrong.complaint.contains(" or shelf:NAME"), "\(wrong)")
    let done = try shelftube([
      "run", "--json", "--storage", "shelf:mine", Terminals.library, "example-one", #"{"size": 3}"#, #"{"size": -5}"#,
      "--no-schema-check",
    ])
    #expect(done.status == 1 && done.lines.count == 2, "\(done)")
    #expect(done.lines.first?.contains(#""state":"succeeded""#) == true, "\(done)")
    #expect(done.lines.last?.contains(#""state":"dead""#) == true, "\(done)")
    withExtendedLifetime(folder) {}
  }

  @Test(arguments: [("README.md", "shelftube"), ("docs/stores.md", "shelftube"), ("docs/stores.md", "shelf-contract")])
  func `What a page shows of its programs is what they are`(_ page: String, _ program: String) throws {
    let source = try contents(of: "\(packageFolder)/Tests/Fixtures/ShelfPackage/Sources/\(program)/main.swift")
    let shown = String(decoding: try contents(of: "\(packageFolder)/\(page)"), as: UTF8.self)
    #expect(shown.contains("```swift\n" + String(decoding: source, as: UTF8.self) + "```"))
  }
}
