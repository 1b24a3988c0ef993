import Foundation
import PluginTestKit
import Testing

/// Against a coordinator with 450 jobs, of which job-N has changed N minutes ago.
@Suite("jobs by time, and all of them", .timeLimit(.minutes(15)))
struct JobSpanTests {
  private let folder: TemporaryFolder
  private let coordinator: Program
  private let at: String

  init() throws {
    folder = try TemporaryFolder()
    let script = "\(packageFolder)/Tests/EndToEndTests/Resources/listing_coordinator.py"
    coordinator = try Program("/usr/bin/python3", [script], in: folder.path)
    at = "--address=\(try coordinator.line(holding: "at tcp:").dropFirst(3))"
  }

  private func ids(_ words: String...) throws -> [Int] {
    let end = try Program.run(["jobs", at] + words, in: folder.path)
    guard end.status == 0, end.lines.first?.hasPrefix("JOB") == true else { throw Unexpected("\(end)") }
    return end.lines.dropFirst().compactMap { $0.split(separator: " ").first.flatMap { Int($0.dropFirst(4)) } }
  }

  @Test func `--since and --until, by age and by time`() throws {
    // Half a minute of room: what the tests take until then is far less.
    #expect(try ids("--since=5.5m") == [1, 2, 3, 4, 5])
    #expect(try ids("--until=445.5m") == [446, 447, 448, 449, 450])
    #expect(try ids("--since=203.5m", "--until=199.5m") == [200, 201, 202, 203])
    let moment = Date(timeIntervalSinceNow: -150).formatted(.iso8601)
    #expect(try ids("--since", moment) == [1, 2])
    let count = try Program.run(["jobs", at, "--count", "--since=2h"], in: folder.path)
    #expect(["119\n", "120\n"].contains(count.output), "\(count)")
  }

  @Test(arguments: [("cancel", "cancelled"), ("requeue", "requeued"), ("delete", "deleted")])
  func `Changes take the same bounds, which name jobs by themselves`(command: String, done: String) throws {
    let end = try Program.run([command, at, "--since=203.5m", "--until=199.5m"], in: folder.path)
    #expect(end.status == 0 && end.output == "\(done) 4 jobs\n", "\(end)")
    let all = try Program.run([command, at, "--all", "--since=1h"], in: folder.path)
    #expect(all.status == 64 && all.complaint.contains("--all by itself"), "\(all)")
    let none = try Program.run([command, at], in: folder.path)
    #expect(none.status == 64 && none.complaint.contains("--since, --until"), "\(none)")
  }

  @Test func `--all goes past every page, and --oldest begins at the other end`() throws {
    #expect(try ids() == Array(1...50))
    #expect(try ids("--limit=201") == Array(1...201))
    #expect(try ids("--all") == Array(1...450))
    #expect(try ids("--oldest", "--limit=3") == [450, 449, 448])
    #expect(try ids("--oldest", "--all") == Array((1...450).reversed()))
    #expect(try ids("--oldest", "--limit=2", "--since=10.5m") == [10, 9])
  }

  @Test func `The titles stand once, and columns line up over pages`() throws {
    let end = try Program.run(["jobs", at, "--all"], in: folder.path)
    #expect(end.lines.count == 451)
    let column = try #require(end.lines.first?.range(of: "STATE")?.lowerBound.utf16Offset(in: end.lines[0]))
    #expect(end.lines.dropFirst().allSatisfy { $0.dropFirst(column).hasPrefix("dead") })
  }

  @Test(arguments: [
    (["--since=tomorrow"], "--since 'tomorrow' is neither an age"), (["--until=-5m"], "--until '-5m' is neither"),
    (["--since=5m", "--until=10m"], "no job can match"), (["--all", "--limit=5"], "either --all or --limit"),
    (["--count", "--watch"], "either --count or --watch"), (["--watch=0"], "--watch must be 0.1 to 86400 seconds"),
    (["--watch=nan"], "--watch must be"), (["--all", "--watch"], "either --all or --watch"),
    (["--since", ""], "--since is empty"),
  ])
  func `What cannot be meant is said`(words: [String], part: String) throws {
    let end = try Program.run(["jobs", at] + words, in: folder.path)
    #expect(end.status == 64 && end.complaint.contains(part), "\(end)")
  }
}
