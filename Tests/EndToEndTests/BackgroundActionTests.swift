import Foundation
import PluginTestKit
import Testing

@Suite("What a coordinator does to many jobs in the background", .timeLimit(.minutes(15)))
struct BackgroundActionTests {
  private let folder: TemporaryFolder
  private let coordinator: Program
  private let at: String

  init() throws {
    folder = try TemporaryFolder()
    coordinator = try Self.coordinator(in: folder)
    at = "--address=\(try Self.address(of: coordinator))"
  }

  private static func coordinator(in folder: TemporaryFolder, _ arguments: String...) throws -> Program {
    let script = "\(packageFolder)/Tests/EndToEndTests/Resources/scripted_coordinator.py"
    return try Program("/usr/bin/python3", [script] + arguments, in: folder.path)
  }

  private static func address(of coordinator: Program) throws -> String {
    String(try coordinator.line(holding: "at tcp:").dropFirst(3))
  }

  @Test func `is watched to its end`() throws {
    let end = try Program.run(["requeue", "--all", at], in: folder.path)
    #expect(end.status == 0 && end.output == "requeued 2500 jobs\n", "\(end)")
    #expect(end.complaint.contains("1000 jobs requeued, 4000 looked at"), "\(end)")
    // All dead ones are named as such: an empty filter means nothing.
    #expect(try coordinator.line(holding: "requeue {").contains(#""states":["dead"]"#))
  }

  @Test func `goes on by itself with --detach`() throws {
    let end = try Program.run(["cancel", "--phase=x", "--detach", at], in: folder.path)
    #expect(end.status == 0 && end.output == "a1\n", "\(end)")
    let sent = try coordinator.line(holding: "cancel {")
    #expect(sent.contains(#""phase":"x""#) && sent.contains(#""states":["waiting","delayed","running"]"#), "\(sent)")
  }

  @Test func `is stopped by Ctrl-C, which says how far it came`() throws {
    let endless = try Self.coordinator(in: folder, "never")
    let command = try Program(
      "carbontube", ["delete", "--error=x", "--address=\(try Self.address(of: endless))"], in: folder.path)
    _ = try endless.line(holding: "action {")
    command.send(SIGINT)
    let end = try command.end()
    #expect(end.status == 130 && end.output.isEmpty, "\(end)")
    #expect(end.complaint.contains("stopped action a1; 1200 jobs were deleted"), "\(end)")
  }

  @Test func `is listed and stopped by name`() throws {
    let list = try Program.run(["actions", at], in: folder.path)
    #expect(list.status == 0 && list.lines.count == 3, "\(list)")
    #expect(list.output.contains("a0      requeue  failed   1000     4000       no room"), "\(list.output)")
    let stopped = try Program.run(["actions", "stop", "a1", at], in: folder.path)
    #expect(stopped.status == 0 && stopped.output == "stopped a1: 1200 jobs were changed\n", "\(stopped)")
  }
}
