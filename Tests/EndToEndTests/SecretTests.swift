import Foundation
import PluginTestKit
import Testing

private let secret = "Tr0ub4dor/and3"

/// A phase that says its secret wherever it can, with everything in place through which people look.
@Suite("Settings and secrets", .timeLimit(.minutes(15)))
struct SecretTests {
  private let folder: TemporaryFolder
  private let library: String

  init() throws {
    folder = try TemporaryFolder()
    library = "\(folder.path)/libsettings.so"
    try compilePlugin("SettingsPlugin/settings.c", to: library)
  }

  @discardableResult
  private func file(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
    try folder.write(text.utf8, to: name)
    let path = "\(folder.path)/\(name)"
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }

  private func carbontube(_ words: String..., environment: [String: String] = [:]) throws -> Program.End {
    try Program("carbontube", words, in: folder.path, environment: environment).end()
  }

  private func contentsOfAllFiles() -> String {
    let files = FileManager.default.subpaths(atPath: folder.path) ?? []
    return files.filter { !["secrets.env", "settings.json"].contains($0) }
      .compactMap { FileManager.default.contents(atPath: "\(folder.path)/\($0)") }
      .map { String(decoding: $0, as: UTF8.self) }.joined()
  }

  @Test func `No log, list of processes, status, page, store or crash report shows a secret`() throws {
    let state = ["CARBONTUBE_STATE_DIR": folder.path + "/state"]
    let coordinator = try Program(
      "carbontube",
      [
        "pipeline", library, "settings", "--sub-bind=tcp://127.0.0.1:*", "--job-pull=tcp://127.0.0.1:*", "--web",
        "--web-bind=127.0.0.1:0", "--log-level=trace",
      ], in: folder.path, environment: state)
    let page = try String(coordinator.line(holding: "web http").dropFirst(4))
    let words = try coordinator.line(holding: "pipeline settings: jobs").split(separator: " ")
    let (jobs, events) = (String(words[3].dropLast()), String(words[5].dropLast()))
    try file("secrets.env", "# of the greeting\nexport GREET_TOKEN=\"\(secret)\"\r\n")
    try file("settings.json", #"{"greeting": "another-\#(secret)"}"#)
    let worker = try Program(
      "carbontube",
      [
        "phase", library, "settings", "--sub-connect", events, "--env-file", "secrets.env", "--settings",
        "settings.json", "--log-level=trace",
      ], in: folder.path, environment: state)
    _ = try worker.line(holding: "phase settings: pipeline")
    var shown = ""
    for (id, instructions) in ["result": #"{"variable":1}"#, "failed": "{}", "crashed": #"{"crash":1}"#] {
      shown += try carbontube("enqueue", jobs, "settings", instructions, "--id", id, "--wait").complaint
    }
    let processes = try Program("/bin/ps", ["axeww"], in: "/").end()
    #expect(processes.output.contains(library) && !processes.output.contains(secret))
    for words in [
      ["job", "failed"], ["job", "crashed"], ["status"], ["jobs", "--state", "dead"], ["metrics"], ["actions"],
    ] {
      for format in [[], ["--json"]] {
        let end = try Program("carbontube", words + ["--address", jobs] + format, in: folder.path).end()
        #expect(end.status == 0, "\(end)")
        shown += end.output
      }
    }
    #expect(shown.contains("the token is ***!") && shown.contains("SIGABRT"), "\(shown)")
    let routes = [
      "", "metrics", "api/v1/pipelines", "api/v1/pipelines/settings", "api/v1/pipelines/settings/jobs?state=dead",
      "api/v1/pipelines/settings/jobs/failed", "api/v1/pipelines/settings/jobs/crashed", "api/v1/plugins",
      "api/v1/pipelines/settings/workers",
    ]
    for route in routes { shown += try Program("/usr/bin/curl", ["-s", "\(page)/\(route)"], in: "/").end().output }
    // The result is the phase's own work.
    #expect(try carbontube("job", "result", "--address", jobs).output.contains(secret))
    #expect(try carbontube("delete", "result", "--address", jobs).status == 0)
    for program in [worker, coordinator] {
      program.process.terminate()
      shown += try program.end().complaint
    }
    #expect(shown.contains("plugin output: the token is ***!"), "\(shown)")
    #expect(!shown.contains(secret))
    #expect(!contentsOfAllFiles().contains("the token is \(secret)"))
  }

  @Test func `A phase gets settings and variables in every way that there is`() throws {
    let given = try file("given.env", "GREET_TOKEN='from a file'\n")
    let settings = try file("settings.json", #"{"size": 3, "deep": {"a": 1}}"#, mode: 0o644)
    let variable = #"{"variable":1}"#
    let passed = try carbontube(
      "plugins", "test", library, "settings", variable, "--env", "GREET_TOKEN", environment: ["GREET_TOKEN": "mine"])
    #expect(passed.output == #"{"variable":"mine"}"# + "\n", "\(passed)")
    let written = try carbontube(
      "plugins", "test", library, "settings", variable, "--env-file", given, "--env", "GREET_TOKEN=word")
    #expect(written.output == #"{"variable":"word"}"# + "\n", "\(written)")
    let set = try carbontube(
      "run", library, "settings", #"{"settings":1}"#, "--settings", settings, "--set", "deep.b=[2]", "--set",
      "name=Ada L.", "--set", "settings:size=4", "--set", "other:size=5", "--json")
    #expect(set.status == 0 && set.output.contains(#""deep":{"a":1,"b":[2]}"#), "\(set)")
    #expect(set.output.contains(#""size":4"#) && set.output.contains(#""name":"Ada L.""#), "\(set)")
    let folders = try carbontube(
      "run", library, "settings", #"{"folder":1}"#, #"{"folder":2}"#, "--work-dir", "scratch", "--json")
    #expect(folders.status == 0 && !folders.output.contains(#""left":1"#), "\(folders)")
    #expect(folders.output.contains("\(folder.path)/scratch/carbontube-"), "\(folders)")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/scratch")
    #expect(left.isEmpty, "\(left)")
  }

  @Test func `What cannot be given is one line that says why`() throws {
    let open = try file("open.env", "A=1", mode: 0o644)
    let malformed = try file("malformed.env", "A=1\n\nno equals\n")
    let quoted = try file("quoted.env", "A=\"x\n")
    let settings = try file("settings.json", #"{"size":"\#(secret)"}"#)
    let list = try file("list.json", "[1]")
    let shared = try file("shared.json", "{}", mode: 0o666)
    let cases: [(words: [String], status: Int32, says: String)] = [
      (["--env-file", "nowhere.env"], 66, "nowhere.env: No such file or directory"),
      (["--env-file", open], 77, "chmod 600 \(open)"),
      (["--env-file", malformed], 65, "\(malformed), line 3: has no '='"),
      (["--env-file", quoted], 65, "\(quoted), line 1: a value begins with \" and does not end so"),
      (["--env-file", folder.path], 66, "is no file"),
      (["--env", "NOT_SET_HERE"], 78, "this process has no variable NOT_SET_HERE"),
      (["--env", "LD_PRELOAD=/x.so"], 64, "LD_PRELOAD is refused"),
      (["--env", "CARBONTUBE_STATE_DIR=/x"], 64, "CARBONTUBE_STATE_DIR is refused"),
      (["--env", "=x"], 64, "has no name"),
      (["--set", "nonsense"], 64, "is not key=value"),
      (["--set", "size=11"], 78, "/size must be at most 10"),
      (["--settings", settings], 78, "/size must be an integer, is a string"),
      (["--settings", list], 65, "is no JSON object"),
      (["--settings", "nowhere.json"], 66, "nowhere.json"),
      (["--settings", shared], 77, "chmod go-w"),
      (["--work-dir", "/proc/nothing"], 78, "/proc/nothing"),
    ]
    for (words, status, says) in cases {
      for command in [["plugins", "test", library, "settings"], ["phase", library, "settings"]] {
        let end = try Program("carbontube", command + words, in: folder.path).end()
        #expect(end.status == status && end.complaint.contains(says), "\(words): \(end)")
        #expect(end.complaint.split(separator: "\n").count <= 3 && !end.complaint.contains(secret), "\(end)")
      }
    }
  }
}
