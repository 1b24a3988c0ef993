import Foundation
import PluginTestKit
import Testing

/// `carbontube phase --plugin-dir`: what is put there is served, what changes is replaced, nothing is restarted.
@Suite struct PluginFolderTests {
  @Test func followsAPluginThatIsDroppedInReplacedAndRemoved() throws {
    let terminals = try Terminals()
    let drop = terminals.folder.path + "/drop"
    try FileManager.default.createDirectory(atPath: drop, withIntermediateDirectories: false)
    let worker = try Program(
      "carbontube", ["phase", "--plugin-dir", drop, "--all", "--sub-connect=\(terminals.events)"],
      in: terminals.folder.path,
      environment: ["TMPDIR": terminals.folder.path])
    _ = try worker.line(holding: "phase all phases: plugins \(drop)")
    let early = try terminals.enqueue(20)
    let library = drop + "/libExample.so"
    try FileManager.default.copyItem(atPath: Terminals.library, toPath: library)
    _ = try worker.complaint(holding: "generate-file: serving \(library)")
    try terminals.awaitStatus("the first jobs") { $0.succeeded == 20 }

    // Half a copy over it ends nothing; a whole other build, renamed over it, takes its place.
    let whole = try Data(contentsOf: URL(fileURLWithPath: library))
    try whole.prefix(whole.count / 4).write(to: URL(fileURLWithPath: library))
    _ = try worker.complaint(holding: "going on with the build before it")
    let middle = try terminals.enqueue(20)
    try terminals.awaitStatus("the jobs over a bad file") { $0.succeeded == 40 }
    try (whole + Data("another build".utf8)).write(to: URL(fileURLWithPath: library + ".new"))
    _ = rename(library + ".new", library)
    let line = try worker.complaint(holding: "delete-file: changed, now serving")
    let late = try terminals.enqueue(20)
    try terminals.awaitStatus("the jobs of the new build") { $0.succeeded == 60 }
    try terminals.expectAllSucceeded(early + middle + late)
    let hash = try #require(line.split(separator: " ").last)
    let jobs = try terminals.client.request("jobs", arguments: Array(#"{"limit": 500}"#.utf8))
    #expect(String(decoding: jobs.body, as: UTF8.self).contains(hash))

    try FileManager.default.removeItem(atPath: library)
    _ = try worker.complaint(holding: "delete-file: its plugin is gone")
    try terminals.awaitStatus("no worker") { $0.workers.isEmpty }
    worker.send(SIGTERM)
    #expect(try worker.end().status == 0)
  }

  @Test func anAllowListKeepsOthersOut() throws {
    let folder = try TemporaryFolder()
    let list = folder.path + "/plugins.allow"
    try "# none yet\n".write(toFile: list, atomically: true, encoding: .utf8)
    let environment = ["CARBONTUBE_PLUGINS_ALLOW": list]
    let refused = try Program.run(["plugins", "verify", Terminals.library], in: folder.path, environment: environment)
    #expect(refused.status == 65)
    let words = refused.complaint.split(separator: "'")
    let line = try #require(words.count == 3 ? String(words[1]) : nil, "\(refused.complaint)")
    try (line + "\n").write(toFile: list, atomically: true, encoding: .utf8)
    let allowed = try Program.run(["plugins", "verify", Terminals.library], in: folder.path, environment: environment)
    #expect(allowed.status == 0, "\(allowed.complaint)")
  }
}
