import Foundation
import PluginTestKit
import Testing

/// What the first phase says it takes is asked of each new job.
@Suite("Input schemas", .timeLimit(.minutes(15)))
struct InputSchemaTests {
  private static let problem = "instructions must be what phase 'generate-file' takes: /size must be at least 0"

  @Test func `enqueue is refused with the field's name, alone and among many`() throws {
    let terminals = try Terminals(storage: "memory:")
    let one = try Program.run(
      ["enqueue", terminals.jobs, "example-one", #"{"size": -1}"#], in: terminals.folder.path)
    #expect(one.status == 65 && one.output.isEmpty && one.complaint.contains(Self.problem), "\(one)")
    #expect(one.complaint.split(separator: "\n").count == 1)
    let many = try Program.run(
      ["enqueue", terminals.jobs, "example-one", "-", "--skip-malformed"], in: terminals.folder.path,
      input: "{\"size\": 1}\n{\"size\": -1}\n{\"other\": 1}\n")
    #expect(many.output.split(separator: "\n").count == 2 && many.complaint.contains("line 2"), "\(many)")
    let count = try Program.run(["jobs", "--count", "-a", terminals.jobs], in: terminals.folder.path)
    #expect(count.output == "2\n")
  }

  @Test func `What takes long to check is checked beside the loop, with the same answer`() throws {
    let terminals = try Terminals(storage: "memory:")
    let long = Array(repeating: "1", count: 50_000).joined(separator: ",")
    let lines = "{\"a\": [\(long)], \"size\": 1}\n{\"a\": [\(long)], \"size\": -1}\n{\"size\": 2}\n"
    let end = try Program.run(
      ["enqueue", terminals.jobs, "example-one", "-", "--skip-malformed"], in: terminals.folder.path, input: lines)
    #expect(end.output.split(separator: "\n").count == 2 && end.complaint.contains(Self.problem), "\(end)")
  }

  @Test func `--no-schema-check takes any object`() throws {
    let terminals = try Terminals(storage: "memory:", options: ["--no-schema-check"])
    let end = try Program.run(
      ["enqueue", terminals.jobs, "example-one", #"{"size": -1}"#], in: terminals.folder.path)
    #expect(end.status == 0, "\(end)")
    let tested = try Program.run(
      ["plugins", "test", Terminals.library, "generate-file", #"{"size": -1}"#, "--no-schema-check"],
      in: terminals.folder.path)
    #expect(tested.status == 1 && tested.complaint.contains("size is -1"), "\(tested)")
  }

  @Test func `A schema that cannot be checked is told once, and nothing is refused by it`() throws {
    let folder = try TemporaryFolder()
    let library = "\(buildFolder)/libFixturePlugin.so"
    let end = try Program.run(
      ["run", "--log-level=critical", library, "patterned", #"{"name": 1}"#, #"{"name": 2}"#], in: folder.path)
    #expect(end.status == 0, "\(end)")
    let told = end.complaint.split(separator: "\n").filter { $0.contains("'pattern'") }
    #expect(told.count == 1 && told[0].contains("of fixture-pattern"), "\(end)")
  }
}
