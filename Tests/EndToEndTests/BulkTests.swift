import Foundation
import PluginTestKit
import Testing

/// Many jobs from a file or a pipe, whatever interrupts them.
@Suite("Bulk enqueue", .timeLimit(.minutes(15)))
struct BulkTests {
  private func write(_ lines: some Sequence<String>, to name: String, in terminals: Terminals) throws -> String {
    try terminals.folder.write(lines.joined(separator: "\n").utf8, to: name)
    return "\(terminals.folder.path)/\(name)"
  }

  /// The command that the last run said to go on with, as words.
  private func resumption(in complaint: String) throws -> [String] {
    let line = try #require(complaint.split(separator: "\n").first { $0.contains("go on with: ") }, "\(complaint)")
    return line.components(separatedBy: "go on with: carbontube ")[1].split(separator: " ").map(String.init)
  }

  @Test func `A bulk that is interrupted three times and gone on with stores each job once`() throws {
    let terminals = try Terminals(storage: "memory:")
    let count = 20_000
    let file = try write(
      (1...count).map { #"{"instructions": {"n": \#($0)}, "priority": \#($0 % 3)}"# }, to: "jobs.jsonl", in: terminals)
    var words = ["enqueue", terminals.jobs, "example-one", "--file", file, "--jobs"]
    var shown: Set<String> = []
    for signal in [SIGINT, SIGTERM, SIGKILL] {
      let run = try Program("carbontube", words, in: terminals.folder.path)
      let waiting = try terminals.status().phases[0].waiting
      try terminals.awaitStatus("some are stored") { $0.phases[0].waiting > waiting }
      run.send(signal)
      let end = try run.end()
      shown.formUnion(end.lines)
      if signal == SIGKILL {
        // Its first word names the run; all is sent again, under the same ids.
        let name = try #require(
          end.complaint.components(separatedBy: "--run ").dropFirst().first?.split(separator: " ").first)
        words = ["enqueue", terminals.jobs, "example-one", "--file", file, "--jobs", "--run", String(name)]
      } else if end.status == 130 {
        words = try resumption(in: end.complaint)
      } else {
        // It was quicker than the signal.
        #expect(end.status == 0, "\(end)")
      }
    }
    let last = try Program.run(words, in: terminals.folder.path)
    #expect(last.status == 0, "\(last.complaint)")
    shown.formUnion(last.lines)
    #expect(shown.count == count)
    let status = try terminals.status()
    #expect(status.phases[0].waiting == count)
    let numbers = try terminals.allJobs().compactMap { $0.instructions["n"] as? Int }
    #expect(numbers.count == count && Set(numbers) == Set(1...count))
  }

  @Test func `What comes by a pipe is stored without its end, and the last line needs no line break`() throws {
    let terminals = try Terminals(storage: "memory:")
    let script = """
      { printf '{"n": 1}\\n{"n": 2}\\n'; until [ -e go ]; do read -t 0.05 <> <(:) || :; done; printf '{"n": 3}\\r\\n\\n{"n": 4}'; } |
        \(buildFolder)/carbontube enqueue \(terminals.jobs) example-one -
      """
    let run = try Program("/bin/bash", ["-c", script], in: terminals.folder.path)
    _ = try run.line(holding: "-2")
    #expect(try terminals.status().phases[0].waiting == 2)
    try terminals.folder.write("".utf8, to: "go")
    let end = try run.end()
    #expect(end.status == 0 && end.lines.map { $0.split(separator: "-").last } == ["1", "2", "3", "5"], "\(end)")
    #expect(try terminals.status().phases[0].waiting == 4)
  }

  @Test func `A malformed line is told by its number, and nothing before or after it is lost`() throws {
    let terminals = try Terminals(storage: "memory:")
    let lines = [
      #"{"id": "a", "delay": 3600}"#, #"{"id": "b", "instructions": [1]}"#, #"{"id": "c", "colour": 1}"#, "nonsense",
      #"{"priority": 9}"#, #"{"id": "d", "instructions": {"size" : 1.0}}"#, #"{"id": "cut", "instr"#,
    ]
    let file = try write(lines, to: "jobs.jsonl", in: terminals)
    let bulk = ["enqueue", terminals.jobs, "example-one", "--file", file, "--jobs"]
    let stopped = try Program.run(bulk, in: terminals.folder.path)
    #expect(stopped.status == 65 && stopped.lines == ["a"], "\(stopped)")
    #expect(stopped.complaint.contains("line 2: 'instructions' must be a JSON object"), "\(stopped)")
    #expect(try resumption(in: stopped.complaint).suffix(2) == ["--resume-from", "2"])
    let skipped = try Program.run(bulk + ["--skip-malformed"], in: terminals.folder.path)
    #expect(skipped.status == 65 && skipped.lines == ["a", "d"], "\(skipped)")
    for line in ["line 2: ", "line 3: 'colour'", "line 4: ", "line 5: 'priority'", "line 7: "] {
      #expect(skipped.complaint.contains(line), "\(skipped)")
    }
    let status = try terminals.status()
    #expect(status.phases[0].waiting == 1 && status.phases[0].delayed == 1)
    let stored = try Program.run(["jobs", "--address=\(terminals.jobs)", "--json"], in: terminals.folder.path)
    #expect(stored.output.contains(#""instructions":{"size" : 1.0}"#), "\(stored)")
    for (words, status) in [
      (["--file", "nowhere"], Int32(66)), (["--file", terminals.folder.path], 66), (["--resume-from", "3", "-"], 64),
      (["--jobs", "{}"], 64), (["--file", file, "{}"], 64), (["--file", file, "--id", "x"], 64),
    ] {
      let end = try Program.run(["enqueue", terminals.jobs, "example-one"] + words, in: terminals.folder.path)
      #expect(end.status == status && end.complaint.split(separator: "\n").count <= 3, "\(words): \(end)")
    }
  }

  @Test func `A coordinator that is started again is waited for, and gets each job once`() throws {
    let terminals = try Terminals()
    let count = 20_000
    let file = try write((1...count).map { #"{"n": \#($0)}"# }, to: "bare.jsonl", in: terminals)
    let run = try Program(
      "carbontube", ["enqueue", terminals.jobs, "example-one", "--file", file, "--timeout", "60"],
      in: terminals.folder.path)
    try terminals.awaitStatus("some are stored") { $0.phases[0].waiting > 0 }
    try terminals.killCoordinator()
    try terminals.restartCoordinator()
    let end = try run.end()
    #expect(end.status == 0 && end.lines.count == count, "\(end.complaint)")
    #expect(try terminals.status().phases[0].waiting == count)
  }

  @Test func `An endless pipe holds no more memory than a short one`() throws {
    let terminals = try Terminals(storage: "memory:")
    let script = """
      yes '{"a": "\(String(repeating: "x", count: 200))"}' | head -n 60000 |
        \(buildFolder)/carbontube enqueue \(terminals.jobs) example-one - >ids &
      bulk=$!
      most=0
      while kill -0 $bulk 2>/dev/null; do
        for p in $(pgrep -f '[c]arbontube enqueue \(terminals.jobs)'); do
          now=$(awk '/VmHWM/ { print $2 }' /proc/$p/status 2>/dev/null || echo 0)
          [ "${now:-0}" -gt $most ] && most=$now
        done
        read -t 0.05 <> <(:) || :
      done
      wait $bulk
      echo $? $most $(wc -l <ids)
      """
    let end = try Program("/bin/bash", ["-c", script], in: terminals.folder.path).end()
    let words = end.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    try #require(words.count == 3, "\(end)")
    // 14 MB of lines; what a client holds anyhow, and a few batches.
    #expect(words[0] == 0 && words[2] == 60_000 && words[1] > 0 && words[1] < 120_000, "\(end)")
  }
}
