import Foundation
import PluginTestKit
import Testing

/// An author saves, and what was built is there to be used.
@Suite("carbontube plugins watch", .timeLimit(.minutes(15)))
struct PluginsWatchTests {
  @Test func `Each save is built, run and copied; what fails is told and waited for; Ctrl-C ends`() throws {
    let author = try AuthorFolder()
    let begun = try author.shell("carbontube plugins new greet --language c && mkdir plugins")
    #expect(begun.status == 0, "\(begun)")
    let source = "\(author.folder.path)/greet/greet.c"
    let text = String(decoding: try contents(of: source), as: UTF8.self)
    let watch = try author.started([
      "plugins", "watch", "greet", "--run", "greet", "--instructions", #"{"name": "Ada"}"#, "--plugin-dir", "plugins",
    ])
    _ = try watch.line(holding: "watching greet, ")
    _ = try watch.line(holding: "built greet/build/libGreet.so in ")
    _ = try watch.line(holding: "Hello, Ada")
    _ = try watch.line(holding: "copied to plugins/libGreet.so")
    _ = try watch.line(holding: "waiting for a change")

    try text.replacingOccurrences(of: "Hello", with: "Goodbye").write(
      toFile: source, atomically: false, encoding: .utf8)
    _ = try watch.line(holding: "greet.c changed")
    _ = try watch.line(holding: "Goodbye, Ada")

    try "no C at all".write(toFile: source, atomically: true, encoding: .utf8)
    _ = try watch.complaint(holding: "make failed; its words above say why")

    try text.replacingOccurrences(of: "Hello", with: "Moin").write(toFile: source, atomically: true, encoding: .utf8)
    _ = try watch.line(holding: "Moin, Ada")
    try FileManager.default.createDirectory(
      atPath: "\(author.folder.path)/greet/more", withIntermediateDirectories: false)
    try "new".write(toFile: "\(author.folder.path)/greet/more/notes.txt", atomically: false, encoding: .utf8)
    _ = try watch.line(holding: "more/notes.txt changed")
    let copied = try author.carbontube(["plugins", "test", "plugins/libGreet.so", "greet", #"{"name": "Ada"}"#])
    #expect(copied.output.contains("Moin, Ada"), "\(copied)")
    watch.send(SIGINT)
    #expect(try watch.end().status == 0)
  }

  @Test func `The project's own tests are run where they are asked for`() throws {
    let author = try AuthorFolder()
    _ = try author.shell("carbontube plugins new greet --language c")
    let watch = try author.started(["plugins", "watch", "greet", "--test"])
    _ = try watch.line(holding: "passed: ./test")
    try FileManager.default.removeItem(atPath: "\(author.folder.path)/greet/test")
    _ = try watch.line(holding: "test changed")
    _ = try watch.complaint(holding: "make test failed")
    watch.send(SIGTERM)
    #expect(try watch.end().status == 0)
  }

  @Test func `What cannot be watched is refused`() throws {
    let folder = try TemporaryFolder()
    let missing = try Program.run(["plugins", "watch", "none"], in: folder.path)
    #expect(missing.status == 66 && missing.complaint.contains("none cannot be watched"), "\(missing)")
    let target = try Program.run(["plugins", "watch", ".", "--plugin-dir", "none"], in: folder.path)
    #expect(target.status == 66 && target.complaint.contains("none does not exist"), "\(target)")
    let words = try Program.run(["plugins", "watch", ".", "--instructions", "{\"a\":1}"], in: folder.path)
    #expect(words.status == 64 && words.complaint.contains("--instructions needs --run"), "\(words)")
  }
}
