import Foundation
import PluginTestKit
import Testing

@testable import CarbonTubeCommand

@Suite("-o, --columns and --log-file", .timeLimit(.minutes(15)))
struct OutputFormTests {
  static let documents: [(json: String, yaml: String)] = [
    ("{}", "{}"), ("[ ]", "[]"), ("7", "7"), ("[1,[2,[]],{}]", "- 1\n- - 2\n  - []\n- {}"),
    (#"{"a":{"b":[{"c":1,"d":null},"x"]},"e":"dead"}"#, "a:\n  b:\n    - c: 1\n      d: null\n    - x\ne: dead"),
    (#"{"yes":"no","n":"1","k:":" a"}"#, "\"yes\": \"no\"\n\"n\": \"1\"\n\"k:\": \" a\""),
    (##"{"z":"#","0":"","t":"True"}"##, "z: \"#\"\n\"0\": \"\"\nt: \"True\""),
    (#"{"wei":123456789012345678901234567890,"far":-1.50e309}"#, "wei: 123456789012345678901234567890\nfar: -1.50e309"),
    (#"{"e":"\\","q":"\"}"}"#, #"e: "\\""# + "\n" + #"q: "\"}""#),
    (#"{"u":"\u00e9\ud83d\ude00","h":"\ud83d"}"#, #"u: "\u00e9\U0001f600""# + "\n" + #"h: "\uFFFD""#),
    (#"{"path":"/tmp/a","é":"日本"}"#, "path: \"/tmp/a\"\n\"é\": \"日本\""),
  ]

  @Test(arguments: documents)
  func `YAML says the same as the JSON it is made of`(json: String, yaml: String) { #expect(YAMLText.of(json) == yaml) }

  @Test func `Jobs, workers and the status come in every form`() throws {
    let terminals = try Terminals(storage: "memory:")
    try terminals.addWorker("calculate-hash")
    let waits = try Program.run(
      ["enqueue", "-a", terminals.jobs, "example-one", #"{"n": 12345678901234567890, "on": "no"}"#, "--id=a"],
      in: terminals.folder.path)
    #expect(waits.status == 0)
    func carbontube(_ words: String...) throws -> Program.End {
      try Program.run(words + ["-a", terminals.jobs], in: terminals.folder.path)
    }
    let wide = try carbontube("jobs", "-o", "wide")
    #expect(
      wide.lines[0].split(separator: " ").joined(separator: " ")
        == "JOB STATE PHASE ATTEMPT FAILURES CRASHES PRIORITY UPDATED ENQUEUED DUE WORKER PROGRESS ERROR")
    let chosen = try carbontube("jobs", "--columns=phase,JOB,priority")
    #expect(chosen.output == "PHASE          JOB  PRIORITY\ngenerate-file  a    0\n", "\(chosen)")
    let yaml = try carbontube("jobs", "--output=yaml")
    #expect(yaml.output.hasPrefix("---\njob:\n"), "\(yaml)")
    #expect(yaml.output.contains("\n  id: a\n") && yaml.output.contains("\n  state: waiting\n"), "\(yaml)")
    #expect(yaml.output.hasSuffix("instructions:\n  \"n\": 12345678901234567890\n  \"on\": \"no\"\n"), "\(yaml)")
    #expect(try carbontube("jobs", "-o", "json").output == carbontube("jobs", "--json").output)
    let status = try carbontube("status", "-o", "yaml")
    #expect(status.output.hasPrefix("---\n") && status.output.contains("\npipeline: example-one\n"), "\(status)")
    #expect(status.output.contains("\n  - dead: 0\n"), "\(status)")
    #expect(try carbontube("workers", "-o", "yaml").output.contains("\njob_type: calculate-hash\n"))
    #expect(try carbontube("workers", "-o", "wide").lines[0].contains("  PID "))
    #expect(try carbontube("workers", "--columns", "phase").output == "PHASE\ncalculate-hash\n")
    for (words, part) in [
      (["jobs", "-o", "xml"], "xml"), (["jobs", "--columns=job,x"], "no column 'x'; there are job, state"),
      (["jobs", "--columns=job,"], "no column ''"), (["jobs", "--columns=job,job"], "named twice"),
      (["workers", "--columns=worker", "--json"], "--columns is for tables"),
      (["status", "--json", "-o", "yaml"], "either --json or --output"),
      (["jobs", "--count", "-o", "yaml"], "either --count or"),
    ] {
      let end = try Program.run(words + ["-a", terminals.jobs], in: terminals.folder.path)
      #expect(end.status == 64 && end.complaint.contains(part), "\(words): \(end)")
    }
  }

  @Test func `A log file is appended to, and opened anew on SIGHUP, which stops nothing`() throws {
    let folder = try PluginTestKit.TemporaryFolder()
    let log = "\(folder.path)/a.log"
    try folder.write(Array("before\n".utf8), to: "a.log")
    let words = [
      "pipeline", Terminals.library, "example-one", "--storage=memory:", "--sub-bind=tcp://127.0.0.1:*",
      "--job-pull=tcp://127.0.0.1:*", "--log-file", log, "--log-level=debug", "--no-schema-check",
    ]
    let coordinator = try Program("carbontube", words, in: folder.path)
    let ready = try coordinator.line(holding: "pipeline example-one: jobs").split(separator: " ")
    let at = "--address=\(ready[3].dropLast())"
    func bury(_ job: String) throws {
      _ = try Program.run(["enqueue", at, "example-one", #"{"size": -1}"#, "--id", job], in: folder.path)
    }
    let worker = try Program(
      "carbontube",
      ["phase", Terminals.library, "generate-file", "--sub-connect=\(ready[5].dropLast())", "--log-file", "w.log"],
      in: folder.path, environment: ["TMPDIR": folder.path])
    func text(holding part: String, in name: String) throws -> String {
      let deadline = Date() + 60
      while Date() < deadline {
        let found = (try? String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)) ?? ""
        if found.contains(part) { return found }
        poll(nil, 0, 10)
      }
      throw Unexpected("no '\(part)' in \(name)")
    }
    try bury("first")
    #expect(try text(holding: "job first is dead", in: "a.log").hasPrefix("before\n"))
    try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
    coordinator.send(SIGHUP)
    worker.send(SIGHUP)
    let deadline = Date() + 60
    while access(log, F_OK) != 0, Date() < deadline { poll(nil, 0, 10) }
    try bury("second")
    #expect(try !text(holding: "job second is dead", in: "a.log").contains("first"))
    for program in [worker, coordinator] {
      program.send(SIGTERM)
      let end = try program.end()
      #expect(end.status == 0 && end.complaint.isEmpty, "\(end)")
    }
    for (path, status, part) in [("no/such.log", 66, "No such file"), (".", 66, "Is a directory")]
      as [(String, Int32, String)]
    {
      let end = try Program.run(words.map { $0 == log ? path : $0 }, in: folder.path)
      #expect(
        end.status == status
          && end.complaint == "carbontube: --log-file \(path): \(part)\(path == "." ? "" : " or directory")\n", "\(end)"
      )
    }
  }
}
