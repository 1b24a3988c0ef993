import Foundation
import PluginTestKit

/// A folder of somebody who writes plugins: an SDK, and crates that need no network.
struct AuthorFolder {
  let folder: TemporaryFolder
  private let environment: [String: String]

  init() throws {
    folder = try TemporaryFolder()
    try run("\(packageFolder)/scripts/sdk", "\(folder.path)/sdk")
    // Debian's crates stand for the registry of crates.
    try FileManager.default.createDirectory(atPath: "\(folder.path)/cargo", withIntermediateDirectories: false)
    try folder.write(
      """
      [source.crates-io]
      replace-with = "debian"
      [source.debian]
      directory = "/usr/share/cargo/registry"
      """.utf8, to: "cargo/config.toml")
    environment = [
      "CARBONTUBE_SDK": "\(folder.path)/sdk", "CARGO_HOME": "\(folder.path)/cargo", "CARBONTUBE_PLUGIN_PATH": "",
      // gdb would ask servers for symbols.
      "DEBUGINFOD_URLS": "",
      "PATH": "\(buildFolder):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")",
    ]
  }

  func shell(_ script: String) throws -> Program.End {
    try Program("/bin/bash", ["-c", "umask 022\n" + script], in: folder.path, environment: environment)
      .end(withinSeconds: 500)
  }

  /// The program itself, going on.
  func started(_ words: [String]) throws -> Program {
    try Program("carbontube", words, in: folder.path, environment: environment)
  }

  /// Of the program itself.
  func carbontube(_ words: [String]) throws -> Program.End {
    try Program.run(words, in: folder.path, environment: environment)
  }
}
