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
        # The versions that were fetched for this package: nothing is looked for on the network.
        cp '\(packageFolder)/Package.resolved' shelf
        cd shelf
        swift build --scratch-path "$1/.build/shelf" --product shelf-contract >&2
        "$1/.build/shelf/debug/shelf-contract"
        """, "shelf", packageFolder,
      ], in: folder.path
    ).end()
    #expect(end.status == 0, "\(end)")
    #expect(
      try #/^(\d+) of (\d+) cases of the contract hold$/#.wholeMatch(in: end.lines.last ?? "").map { $0.1 == $0.2 }
        == true)
    withExtendedLifetime(folder) {}
  }
}
