import Foundation
import PluginTestKit
import Testing

@Suite("What commands write, and where they cannot", .timeLimit(.minutes(15)))
struct CommandOutputTests {
  private func shell(_ script: String, in folder: TemporaryFolder, _ c1: String = "") throws -> Program.End {
    let environment = ["CARBONTUBE": "\(buildFolder)/carbontube", "LIBRARY": Terminals.library, "C1": c1]
    return try Program("/bin/bash", ["-c", script], in: folder.path, environment: environment).end()
  }

  @Test func `A full disk behind stdout is an error, a reader that has left is none`() throws {
    let terminals = try Terminals(storage: "memory:")
    let at = "--address=\(terminals.jobs)"
    _ = try terminals.enqueue(1)
    for command in [
      "status \(at)", "jobs \(at)", "jobs --json \(at)", "jobs --count \(at)", "metrics \(at)", "version", "--help",
      "enqueue \(terminals.jobs) example-one", "plugins list --plugin-dir \(buildFolder)", "requeue --all \(at)",
    ] {
      let full = try shell("$CARBONTUBE \(command) >/dev/full", in: terminals.folder)
      #expect(full.status == 74, "\(command): \(full)")
      #expect(full.complaint == "carbontube: cannot write to stdout: No space left on device\n", "\(command): \(full)")
      let left = try shell("set -o pipefail; $CARBONTUBE \(command) | :", in: terminals.folder)
      #expect(left.status == 0 && left.complaint.isEmpty, "\(command): \(left)")
    }
    // A closed stream must not become a connection or a database that lines are written into.
    for command in ["status \(at)", "jobs --json \(at)", "version", "run \(Terminals.library) example-one"] {
      let closed = try shell("$CARBONTUBE \(command) >&-", in: terminals.folder)
      #expect(
        closed.status == 74 && closed.complaint == "carbontube: cannot write to stdout: Bad file descriptor\n",
        "\(command): \(closed)")
      let unheard = try shell("$CARBONTUBE \(command) <&- 2>&-", in: terminals.folder)
      #expect(unheard.status == 0 && !unheard.output.isEmpty, "\(command): \(unheard)")
    }
    let nothing = try shell("$CARBONTUBE enqueue \(terminals.jobs) example-one - </dev/null", in: terminals.folder)
    #expect(nothing.status == 0 && nothing.complaint.contains("no instructions on stdin"), "\(nothing)")
    let urgent = try shell(
      "$CARBONTUBE enqueue \(terminals.jobs) example-one --id low --priority -8 && $CARBONTUBE job low \(at)",
      in: terminals.folder)
    #expect(urgent.output.contains("priority -8"), "\(urgent)")
    let refused = try shell("$CARBONTUBE job nosuch \(at) 2>/dev/full", in: terminals.folder)
    #expect(refused.status == 1)
    let drawn = try shell("$CARBONTUBE enqueue \(terminals.jobs) example-one --id a --delay 9", in: terminals.folder)
    #expect(drawn.status == 0)
    let again = try shell("$CARBONTUBE enqueue \(terminals.jobs) example-one --id a 2>/dev/full", in: terminals.folder)
    #expect(again.status == 74 && again.output == "a\n", "\(again)")
  }

  @Test func `Words from outside cannot steer the terminal`() throws {
    let folder = try TemporaryFolder()
    let evil = #"{"do": "\u001b[2J\n2030-01-01 forged", "c1": "\#u{9b}31m\#u{202e}"}"#
    let end = try Program.run(["run", "\(buildFolder)/libFixturePlugin.so", "hooked", evil], in: folder.path)
    #expect(end.status == 1 && end.lines.count == 1, "\(end)")
    #expect(end.output.contains(#"cannot do '\u{1b}[2J\n2030-01-01 forged'"#), "\(end)")
    #expect(end.output.contains(#""c1": "\u009b31m\u202e""#), "\(end)")
    let typed = try Program.run(["run", Terminals.library, "example-one", "\u{1b}[31m"], in: folder.path)
    #expect(typed.status == 65 && typed.complaint.contains(#"(given: \u{1b}[31m)"#), "\(typed)")
    let c1 = #"{"a": "\#u{9b}31m\#u{7f}"}"#
    let looked = try shell(
      "script -qec '$CARBONTUBE run --json $LIBRARY example-one \"$C1\" 2>/dev/null' /dev/null", in: folder, c1)
    #expect(looked.output.contains(#""instructions":{"a": "\u009b31m\u007f""#), "\(looked)")
    let piped = try shell("$CARBONTUBE run --json $LIBRARY example-one \"$C1\"", in: folder, c1)
    #expect(piped.output.contains(#""instructions":"# + c1.dropLast()), "\(piped)")
    for text in [end.output, end.complaint, typed.complaint] {
      #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || (0x7f...0x9f).contains($0.value) })
    }
  }

  @Test func `Instructions go through byte for byte`() throws {
    let folder = try TemporaryFolder()
    let given = #"{ "size" : 1, "wei":123456789012345678901234567890 , "far": [1e309,  -0.10], "n":"\u0041" }"#
    let end = try Program.run(
      ["run", "--json", Terminals.library, "example-one", "-"], in: folder.path,
      environment: ["TMPDIR": folder.path], input: given + "\r\n\n")
    #expect(end.status == 0, "\(end)")
    #expect(end.output.contains(#""instructions":"# + given.dropLast(2) + #","file_path":"#), "\(end)")
    #expect(end.output.hasSuffix("\" }}\n"), "\(end)")
  }

  @Test func `A line of stdin that is none is named by its number`() throws {
    let folder = try TemporaryFolder()
    let run = ["run", Terminals.library, "example-one", "-"]
    let bad = try Program.run(run, in: folder.path, input: "{}\n\n{\"size\": 01}\n")
    #expect(
      bad.status == 65 && bad.complaint.contains("line 3 of stdin: ") && bad.complaint.contains("number"), "\(bad)")
    let bytes = try shell(
      #"printf '{"a":"\xff"}\n' | $CARBONTUBE run \#(Terminals.library) example-one -"#, in: folder)
    #expect(bytes.status == 65 && bytes.complaint.contains("not valid UTF-8"), "\(bytes)")
    let word = try shell(#"$CARBONTUBE run \#(Terminals.library) example-one $'{"a":"\xff"}'"#, in: folder)
    #expect(word.status == 64 && word.complaint.contains("word 4 of the command line is not UTF-8"), "\(word)")
  }
}
