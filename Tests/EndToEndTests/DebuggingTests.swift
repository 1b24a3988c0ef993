import Foundation
import PluginTestKit
import Testing

/// docs/debugging.md, as somebody follows it whose phase in C crashes.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DebuggingTests {
  private let folder: TemporaryFolder
  private let environment: [String: String]

  init() throws {
    folder = try TemporaryFolder()
    try run("\(packageFolder)/scripts/sdk", "\(folder.path)/sdk")
    environment = [
      "CARBONTUBE_SDK": "\(folder.path)/sdk", "CARBONTUBE_PLUGIN_PATH": "",
      "PATH": "\(buildFolder):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")",
    ]
  }

  private func shell(_ script: String) throws -> Program.End {
    try Program("/bin/bash", ["-c", "set -e\numask 022\n" + script], in: folder.path, environment: environment)
      .end(withinSeconds: 200)
  }

  /// The page's commands: a project and its test; a coordinator with a worker; a sanitizer.
  private func shown() throws -> [String] {
    let text = String(decoding: try contents(of: "\(packageFolder)/docs/debugging.md"), as: UTF8.self)
    return text.components(separatedBy: "```sh\n").dropFirst().compactMap { $0.components(separatedBy: "\n```").first }
  }

  /// `name` "crash" writes to address 0, "overflow" past what it had asked for.
  private static let makeFaulty = #"""
    sed -i 's/^  json_t \*result = json_pack/  if (name[0] == 99) *(volatile int *)0 = 1;\n  if (name[0] == 111) { char *four = malloc(4); ((volatile char *)four)[4] = 1; free(four); }\n&/' greet/greet.c
    line=$(grep -n "volatile int" greet/greet.c | cut -d: -f1)
    """#

  @Test func `A trace has the function, with --debug its file and line, wherever it is shown`() throws {
    let end = try shell(
      """
      carbontube plugins new greet --language c
      \(Self.makeFaulty)
      carbontube plugins build greet
      echo released >&2
      ! carbontube plugins test greet/build/libGreet.so greet '{"name": "crash"}'
      carbontube plugins build greet --debug
      echo "debugged: line $line" >&2
      ! carbontube plugins test greet/build/libGreet.so greet '{"name": "crash"}'
      echo run >&2
      ! carbontube run greet/build/libGreet.so greet '{"name": "crash"}'
      """)
    #expect(end.status == 0, "\(end)")
    let parts = end.complaint.components(separatedBy: "\nreleased\n")
    let later = try #require(parts.last).components(separatedBy: "\ndebugged: line ")
    #expect(later[0].contains("run + ") && later[0].contains(" in libGreet.so"), "\(later[0])")
    let line = try #require(later.last?.split(separator: "\n").first)
    let runs = try #require(later.last).components(separatedBy: "\nrun\n")
    for part in runs {
      #expect(part.contains(" in libGreet.so at \(folder.path)/greet/greet.c:\(line)"), "\(part)")
      #expect(!part.contains("rax"))
    }
  }

  /// Where the template's phase has a name: its file, the line before which it is made to crash, and how.
  @Test(arguments: [
    (
      "swift", "Sources/Greet/Greet.swift", "    guard !input.name.isEmpty",
      #"    if input.name == "crash" { fatalError() }"#
    ),
    ("cpp", "greet.cpp", "  json result = ", #"  if (instructions.at("name") == "crash") *(volatile int *)0 = 1;"#),
    (
      "rust", "src/lib.rs", "    let mut result = ",
      #"    if name == "crash" { unsafe { std::ptr::null_mut::<i32>().write_volatile(1) } }"#
    ),
  ])
  func aTraceHasFileAndLine(language: String, file: String, before: String, crash: String) throws {
    try folder.write(
      "[source.crates-io]\nreplace-with = \"debian\"\n[source.debian]\ndirectory = \"/usr/share/cargo/registry\"\n"
        .utf8,
      to: "config.toml")
    try folder.write("\(crash)\n".utf8, to: "crash")
    let end = try shell(
      """
      export CARGO_HOME="$PWD/cargo"
      mkdir cargo
      cp config.toml cargo/
      carbontube plugins new greet --language \(language)
      line=$(grep -n -m 1 '^\(before)' greet/\(file) | cut -d: -f1)
      sed -i "$((line - 1))r crash" greet/\(file)
      carbontube plugins build greet --debug
      ! carbontube plugins test greet/build/libGreet.so greet '{"name": "crash"}'
      echo "\(file.split(separator: "/").last ?? ""):$line:"
      """)
    let place = try #require(end.lines.last)
    #expect(end.status == 0 && end.complaint.contains("*** Program crashed"), "\(end)")
    #expect(end.complaint.contains(place), "\(end)")
  }

  @Test func `gdb stops in a phase that a worker's child runs`() throws {
    let commands = try shown()
    let serve = commands[1].replacingOccurrences(of: "tcp://127.0.0.1:5050", with: "ipc://\(folder.path)/jobs")
      .replacingOccurrences(of: "tcp://127.0.0.1:6000", with: "ipc://\(folder.path)/events")
    let end = try shell(
      """
      trap 'kill $(jobs -p)' EXIT
      \(commands[0])
      \(serve)
      carbontube enqueue ipc://\(folder.path)/jobs greet '{"name": "first"}' --wait
      child=$(pgrep --newest --full "carbontube-plugin-host --phase .* greet")
      mkfifo started
      gdb --batch --nx --pid $child --eval-command 'break greet.c:run' --eval-command 'shell echo > started' \
        --eval-command continue --eval-command 'backtrace 1' --eval-command 'print *job' --eval-command 'delete' \
        --eval-command detach >gdb.log 2>&1 &
      debugger=$!
      read -r < started
      carbontube enqueue ipc://\(folder.path)/jobs greet '{"name": "Ada"}' --wait
      wait $debugger
      cat gdb.log
      """)
    #expect(end.status == 0, "\(end)")
    #expect(end.output.contains("hit Breakpoint 1") && end.output.contains("at greet.c:"), "\(end)")
    #expect(end.output.contains("struct_size = ") && end.output.contains("Hello, Ada"), "\(end)")
  }

  @Test func `A core file is written where it is asked for, and only there`() throws {
    let pattern = String(decoding: try contents(of: "/proc/sys/kernel/core_pattern"), as: UTF8.self)
    let end = try shell(
      """
      carbontube plugins new greet --language c
      \(Self.makeFaulty)
      carbontube plugins build greet --debug
      mkdir cores
      cd cores
      ! carbontube plugins test ../greet/build/libGreet.so greet '{"name": "crash"}'
      ls | wc -l
      ! carbontube plugins test ../greet/build/libGreet.so greet '{"name": "crash"}' --core-files
      for core in *; do
        [ ! -f "$core" ] || gdb --batch --nx --eval-command backtrace "$(command -v carbontube-plugin-host)" "$core"
      done
      """)
    #expect(end.status == 0 && end.lines.contains("0"), "\(end)")
    // Where the machine hands cores to a program of its own, none lands here.
    let isFile = !pattern.hasPrefix("|") && !pattern.contains("/")
    #expect(end.output.contains("in run (") == isFile, "core_pattern \(pattern): \(end)")
  }

  @Test func `AddressSanitizer finds what a plugin writes past its memory`() throws {
    let commands = try shown()
    let end = try shell(
      """
      carbontube plugins new greet --language c
      \(Self.makeFaulty)
      \(commands[2])
      ! carbontube plugins test greet/build/libGreet.so greet '{"name": "overflow"}'
      """)
    #expect(end.status == 0 && end.output.contains("Hello, Ada"), "\(end)")
    #expect(end.complaint.contains("AddressSanitizer: heap-buffer-overflow"), "\(end)")
    #expect(end.complaint.contains("greet/greet.c:"), "\(end)")
  }
}
