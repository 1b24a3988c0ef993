import CarbonTube
import Foundation
import Logging
import PipelineModel
import PluginTestKit
import Testing

@testable import CarbonTubeCommand

@Suite("carbontube attach, and waiting for many", .timeLimit(.minutes(15)))
struct AttachTests {
  private static let puppets = "\(buildFolder)/libFixturePlugin.so"
  private let folder: PluginTestKit.TemporaryFolder
  /// In this process, since the plugin's own pipeline has settings that no coordinator takes.
  private let coordinator: RunningCoordinator
  private let worker: Program
  private let at: String

  init() throws {
    folder = try PluginTestKit.TemporaryFolder()
    coordinator = try RunningCoordinator(of: ["puppet", "lister"])
    at = "--address=\(coordinator.server.intakeAddress)"
    worker = try Program(
      "carbontube", ["phase", Self.puppets, "puppet", "--sub-connect=\(coordinator.server.eventsAddress)"],
      in: folder.path, environment: ["TMPDIR": folder.path])
    _ = try worker.line(holding: "phase puppet: pipeline")
  }

  private final class RunningCoordinator: Sendable {
    let server: PipelineServer

    init(of jobTypes: [String]) throws {
      var settings = PipelineServerSettings(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
      settings.eventsAddress = "tcp://127.0.0.1:*"
      settings.intakeAddress = "tcp://127.0.0.1:*"
      let phases = jobTypes.map { PhaseDefinition(jobType: $0) }
      server = try PipelineServer(
        pipeline: PipelineDefinition(name: "hooked", phases: phases), storage: MemoryJobStore(), settings: settings)
      server.start()
    }

    deinit { server.stop() }
  }

  private func enqueue(_ id: String, _ instructions: String) throws {
    let end = try Program.run(["enqueue", "hooked", instructions, "--id", id, at], in: folder.path)
    #expect(end.status == 0, "\(end)")
  }

  private func carbontube(_ words: String...) throws -> Program.End {
    try Program.run(words + [at], in: folder.path)
  }

  @Test func `Steps, progress and the end are told as they come`() throws {
    try enqueue("slow", #"{"do": "wait"}"#)
    let attached = try Program("carbontube", ["attach", "slow", at], in: folder.path)
    #expect(try attached.complaint(holding: "running in puppet").contains("attempt 1 on "))
    #expect(try attached.complaint(holding: "25 %") == "job slow: 25 %, waiting")
    #expect(try carbontube("cancel", "slow").status == 0)
    let end = try attached.end()
    #expect(
      end.status == 1 && end.lines.count == 1 && end.output.hasPrefix("slow  cancelled  {\"do\": \"wait\"}"), "\(end)")
    #expect(end.complaint.contains("job 'slow' did not succeed; 'carbontube job slow' shows why"), "\(end)")
    let again = try carbontube("attach", "slow", "--json")
    #expect(
      again.status == 1 && again.lines.last?.hasPrefix(#"{"event":"end","id":"slow","state":"cancelled""#) == true)
  }

  @Test func `What it logs comes before how it ended`() throws {
    try enqueue("talker", #"{"do": "log"}"#)
    let attached = try Program("carbontube", ["attach", "talker", "--json", at], in: folder.path)
    let line = try attached.line(holding: #""event":"log""#)
    #expect(line.contains(#""text":"one""#) && line.contains(#""level":"debug""#), "\(line)")
    _ = try attached.line(holding: #""text":"two""#)
    let step = try attached.line(holding: #""job_type":"lister""#)
    #expect(step.contains(#""event":"step""#) && step.contains(#""state":"waiting""#), "\(step)")
    #expect(try carbontube("cancel", "talker").status == 0)
    let end = try attached.end()
    #expect(end.status == 1 && end.lines.last?.contains(#""event":"end""#) == true, "\(end)")
    for line in end.lines { #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) } }
    let failed = try carbontube("enqueue", "hooked", #"{"do": "permanent"}"#, "--wait", "--id=dead")
    #expect(failed.status == 1)
    let dead = try carbontube("attach", "dead")
    #expect(
      dead.status == 1 && dead.output.contains("dead  dead  ") && dead.output.contains("will never do"), "\(dead)")
  }

  @Test func `It gives up in time, and nobody's job is none`() throws {
    try enqueue("slow", #"{"do": "wait"}"#)
    let late = try carbontube("attach", "slow", "--wait-timeout=0.4")
    #expect(late.status == 69 && late.complaint.contains("has not ended within --wait-timeout; it goes on"), "\(late)")
    let nobody = try carbontube("attach", "nobody")
    #expect(nobody.status == 1 && nobody.complaint.contains("no job 'nobody'"), "\(nobody)")
    let bad = try carbontube("attach", "slow", "--wait-timeout=0")
    #expect(bad.status == 64 && bad.complaint.contains("--wait-timeout must be"), "\(bad)")
  }

  @Test func `On a terminal many that are waited for are counted`() throws {
    let pane = try TerminalPane(columns: 80)
    let instructions = Array(repeating: #"'{"do":"wait"}'"#, count: 2).joined(separator: " ")
    try pane.type("carbontube enqueue hooked '{\"do\":\"permanent\"}' \(instructions) --wait --wait-timeout 600 \(at)")
    let shown = try pane.waitFor("a count") { lines in lines.contains { $0.contains("1 of 3 ended, 1 failed") } }
    #expect(shown.contains { $0.contains("█") && $0.hasSuffix("/s") }, "\(shown)")
    #expect(try carbontube("cancel", "--all").status == 0)
    let over = try pane.waitFor("the end") { lines in lines.contains { $0.contains("3 of 3 jobs did not succeed") } }
    #expect(!over.contains { $0.contains("of 3 ended") }, "the line is gone: \(over)")
  }
}

@Suite struct WaitBarTests {
  @Test(arguments: [
    (0, 4, 0, 0, 80, "0 of 4 ended, 0.0/s"), (3, 4, 1, 2_000, 80, "3 of 4 ended, 1 failed, 1.5/s"),
    (900, 1_000, 0, 3_000, 80, "900 of 1000 ended, 300/s"), (9, 10, 0, 100, 12, "9 of 10 end"),
  ])
  func `A line tells how many and how fast`(
    ended: Int, total: Int, failed: Int, milliseconds: Int64, columns: Int, text: String
  ) {
    let line = WaitBar.line(
      ended: ended, of: total, failed: failed, afterMilliseconds: milliseconds, columns: columns)
    #expect(line.hasSuffix(text) && line.count < columns, "\(line)")
  }
}
