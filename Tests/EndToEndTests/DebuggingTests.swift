import Foundation
import PluginTestKit
import Testing

/// What docs/debugging.md shows is what happens, and a crash in any language names its place.
@Suite(.serialized, .timeLimit(.minutes(15))) struct DebuggingTests {
  private let author: AuthorFolder
  private var folder: TemporaryFolder { author.folder }

  init() throws { author = try AuthorFolder() }

  private func shell(_ script: String) throws -> Program.End { try author.shell("set -e\n" + script) }

  /// The blocks of the page, of which there are five.
  private func blocks() throws -> [String] {
    let text = String(decoding: try contents(of: "\(packageFolder)/docs/debugging.md"), as: UTF8.self)
    let found = text.components(separatedBy: "```sh\n").dropFirst().compactMap {
      $0.components(separatedBy: "\n```").first
    }
    try #require(found.count == 5)
    return found
  }

  @Test func thePageShowsWhatATraceSays() throws {
    let end = try shell(try blocks()[0])
    #expect(end.status == 0 && end.output.contains("exit code 1"), "\(end.complaint)")
    #expect(end.complaint.contains(/run \+ \d+ in libGreet.so at .*greet\/greet.c:\d+/), "\(end.complaint)")
    #expect(end.complaint.contains("called by carbontube-plugin-host"), "\(end.complaint)")
    #expect(!end.complaint.contains(/PhaseRunner|rax|x29/), "\(end.complaint)")
  }

  @Test func thePageLeadsGdbIntoAChild() throws {
    let blocks = try blocks()
    let worker = blocks[2].replacing(
      "libGreet.so greet &", with: "libGreet.so greet --sub-connect=ipc://\(folder.path)/e &")
    let end = try shell(blocks[0] + "\ntrap 'kill $(jobs -p) || :' EXIT\n" + blocks[1] + "\n" + worker)
    #expect(end.status == 0, "\(end.complaint)")
    #expect(end.output.contains(/Breakpoint 1, run \(/) && end.output.contains("struct_size ="), "\(end.output)")
    #expect(end.output.contains(#"{"greeting":"Hello, Ada"}"#), "\(end.output)")
    #expect(end.output.contains(/Line \d+ of "greet.c" starts at address/), "\(end.output)")
  }

  private static let coresAreFiles =
    (try? String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8))?.hasPrefix("core") == true

  @Test(.enabled(if: coresAreFiles, "the kernel hands core files to a program, or elsewhere"))
  func gdbReadsACoreFile() throws {
    let blocks = try blocks()
    let end = try shell(blocks[0] + "\n! ls core* 2>&1\n" + blocks[3])
    #expect(end.status == 0, "\(end.complaint)")
    #expect(end.output.contains(/terminated with signal SIGABRT/), "\(end.output)")
    #expect(end.output.contains(/run \(.*\n?.*greet.c:\d+/), "\(end.output)")
  }

  @Test func noCoreFilesAreRefusedWhereTheyCannotBe() throws {
    let end = try shell("ulimit -c 0\ncarbontube plugins test \(Terminals.library) delete-file --core-files")
    #expect(end.status == 78 && end.complaint.contains("--core-files: the hard limit"), "\(end.complaint)")
  }

  @Test func addressSanitizerReportsFromAChild() throws {
    let blocks = try blocks()
    let end = try shell(blocks[0] + "\n" + blocks[4])
    #expect(end.status == 0, "\(end.complaint)")
    #expect(end.complaint.contains("heap-use-after-free"), "\(end.complaint)")
    #expect(end.complaint.contains(/in run .*greet.c:\d+/), "\(end.complaint)")
  }

  /// What makes the template's phase crash, in the function that does the work.
  static let crashes = [
    ("swift", "Sources/Greet/Greet.swift", "    job.logger.info", #"    precondition(input.name != "crash")"#),
    ("c", "greet.c", "  json_t .result", #"  if (!strcmp(name, "crash")) return strlen(getenv("NO_SUCH_NAME"));"#),
    ("cpp", "greet.cpp", "  json result", #"  if (instructions.at("name") == "crash") std::abort();"#),
    ("rust", "src/lib.rs", "    let mut result", #"    if name == "crash" { std::process::abort() }"#),
  ]

  @Test(arguments: 0..<4) func everyLanguageTellsWhereItCrashed(index: Int) throws {
    let (language, file, before, crash) = Self.crashes[index]
    let end = try shell(
      """
      carbontube plugins new greet --language \(language)
      sed -i 's~^\(before)~\(crash)\\n&~' greet/\(file)
      carbontube plugins build greet
      carbontube plugins test greet/build/libGreet.so greet '{"name": "crash"}' 2>release || :
      carbontube plugins build greet --debug
      carbontube plugins test greet/build/libGreet.so greet '{"name": "crash"}' 2>debug || :
      carbontube run greet/build/libGreet.so greet '{"name": "crash"}' --log-level info >run 2>&1 || :
      """)
    #expect(end.status == 0, "\(end.complaint)")
    let said = try ["release", "debug", "run"].map {
      try String(contentsOfFile: "\(folder.path)/\($0)", encoding: .utf8)
    }
    #expect(said[0].contains(/(run|greet|Greeting\.execute).* in libGreet.so\n/), "\(said[0])")
    let name = file.split(separator: "/").last ?? ""
    for text in said.dropFirst() {
      #expect(text.contains(try Regex(#"(run|greet|execute).* in libGreet.so at .*\#(name):\d+"#)), "\(text)")
    }
    // The worker's own log has it too, which the last lines of the command have not.
    #expect(said[2].contains(#/job .*: stderr: .*in libGreet.so at [^ ]+/#), "\(said[2])")
  }

  @Test func aRecursionWithoutEndIsTold() throws {
    let end = try shell(
      """
      carbontube plugins new greet --language c
      sed -i 's~^  json_t .result~  return run(phase, instance, job, err) + 1;\\n&~' greet/greet.c
      carbontube plugins build greet --debug
      carbontube plugins test greet/build/libGreet.so greet '{"name": "Ada"}' || :
      """)
    let frames = end.complaint.matches(of: /\[ra\] 0x[0-9a-f]+ run .*greet.c:\d+/).count
    #expect(end.status == 0 && (30...40).contains(frames), "\(end.complaint)")
  }

  @Test func aSelfContainedPluginHasLinesToo() throws {
    let end = try shell(
      """
      carbontube plugins new greet
      sed -i 's,^    job.logger.info,    precondition(input.name != "crash")\\n&,' greet/Sources/Greet/Greet.swift
      carbontube plugins build greet --debug --self-contained
      carbontube plugins test greet/build/libGreet.so greet '{"name": "crash"}' || :
      """)
    #expect(
      end.status == 0 && end.complaint.contains(/execute.* in libGreet.so at .*Greet.swift:\d+/), "\(end.complaint)")
  }

  @Test func addressSanitizerReportsFromTheTestsOfASwiftPlugin() throws {
    let end = try shell(
      """
      carbontube plugins new greet
      cd greet
      sed -i 's~^    job.logger.info~    let p = UnsafeMutablePointer<Int>.allocate(capacity: 1); p.deallocate(); p.pointee += 1\\n&~' \\
        Sources/Greet/Greet.swift
      swift test --sanitize=address 2>&1 || :
      """)
    #expect(end.output.contains("heap-use-after-free"), "\(end.output) \(end.complaint)")
    #expect(end.output.contains(/in .*execute.*Greet.swift:\d+/), "\(end.output)")
  }

  @Test func aMakefileWithoutDebuggingIsNamed() throws {
    let end = try shell("mkdir old; echo 'all:' >old/Makefile; carbontube plugins build old --debug")
    #expect(end.status == 65 && end.complaint.contains("old/Makefile knows no DEBUG"), "\(end.complaint)")
  }

  /// With the phase of README beside the template's.
  @Test func aNewSwiftProjectPassesItsUnitTests() throws {
    let readme = String(decoding: try contents(of: "\(packageFolder)/README.md"), as: UTF8.self)
    let phase = readme.components(separatedBy: "```swift\n").dropFirst().first?.components(separatedBy: "```").first
    try folder.write(try #require(phase).utf8, to: "phase.swift")
    let end = try shell(
      """
      carbontube plugins new greet
      cp phase.swift greet/Sources/Greet/DeleteFile.swift
      sed -i 's/phases: .Greeting.self/&, DeleteFile.self/' greet/Sources/Greet/Greet.swift
      cd greet
      swift test
      carbontube plugins build
      """)
    #expect(end.status == 0, "\(end.complaint) \(end.output)")
    #expect((end.output + end.complaint).contains("Test run with 3 tests"), "\(end.output)")
    #expect(end.output.contains("phase greet, phase delete-file"), "\(end.output)")
  }
}
