import Glibc
import HostProtocol
import PluginTestKit
import Testing

@testable import PluginCatalog

private let healthy = """
  #include "carbontube.h"
  CT_PLUGIN_NOTE(0, 0);
  static ct_status run(const ct_phase *p, void *i, const ct_job *j, ct_error *e) { return CT_OK; }
  static const ct_phase phase = {
    .struct_size = sizeof(ct_phase), .job_type = "noop", .version = "1.0.0", .summary = "", .run = run};
  static const ct_phase *const phases[] = {&phase};
  static const ct_plugin plugin = {
    .struct_size = sizeof(ct_plugin), .abi_major = 1, .id = "org.example.noop", .version = "1.0.0", .summary = "",
    .build = "c", .phase_count = 1, .phases = phases};
  const ct_plugin *carbontube_plugin_v1(uint32_t minor) { return &plugin; }
  """

/// Every bad file gives one line that says what is wrong, and harms nobody.
@Suite struct CatalogTests {
  let folder: TemporaryFolder
  let catalog: PluginCatalog

  init() throws {
    folder = try TemporaryFolder()
    catalog = PluginCatalog(stateFolder: folder.path + "/state")
  }

  @Test func describesASwiftPlugin() {
    let description = catalog.describe(file: buildFolder + "/libExample.so")
    #expect(description.problem == nil)
    #expect(description.phases.map(\.jobType) == ["generate-file", "calculate-hash", "delete-file"])
    #expect(description.pipelines.map(\.name) == ["example-one"])
    #expect(
      description.pipelines.map(\.definition) == [
        #"{"name":"example-one","phases":[{"job_type":"generate-file"},{"job_type":"calculate-hash"},"#
          + #"{"job_type":"delete-file"}]}"#
      ])
    #expect(description.abi == "1.2")
    #expect(description.sha256.count == 64)
    #expect(description.build.hasPrefix("swift-6."))
  }

  @Test func namesWhatTheFileHasInstead() throws {
    let description = catalog.describe(file: try compilePlugin(healthy, named: "noop", in: folder))
    #expect(try description.phase("noop").version == "1.0.0")
    #expect { try description.phase("juggle") } throws: { error in
      "\(error)".hasSuffix("/libnoop.so has no phase 'juggle'; it has: noop")
    }
    #expect { try description.pipeline("p") } throws: { error in
      "\(error)".hasSuffix("/libnoop.so has no pipeline 'p'; it has: none")
    }
  }

  @Test func aStagedCopyIsTheFileAndStays() throws {
    let library = try compilePlugin(healthy, named: "noop", in: folder)
    let first = try catalog.stage(file: library)
    #expect(try contents(of: first.path) == contents(of: library))
    #expect(try catalog.stage(file: library) == first)
    try folder.write(Array(contents(of: library)) + [0], to: "libnoop.so")
    let second = try catalog.stage(file: library)
    #expect(second.path != first.path)
    #expect(try contents(of: first.path).count + 1 == contents(of: second.path).count)
  }

  @Test func aDamagedCopyIsMadeAgain() throws {
    let library = try compilePlugin(healthy, named: "noop", in: folder)
    let staged = try catalog.stage(file: library)
    try run("/bin/chmod", "u+w", staged.path)
    try run("/bin/cp", "/dev/null", staged.path)
    #expect(try catalog.stage(file: library) == staged)
    #expect(try contents(of: staged.path) == contents(of: library))
  }

  func problem(_ file: String) -> String { catalog.describe(file: file).problem ?? "none" }

  @Test func saysWhenThereIsNoFile() {
    #expect(problem("/nowhere/libx.so") == "/nowhere/libx.so does not exist; give the path of a built plugin (.so)")
    #expect(problem("/tmp").contains("is not a regular file"))
  }

  @Test func saysWhenItIsNotELF() throws {
    #expect(problem(try folder.write("#!/bin/sh\n".utf8, to: "a.so")).contains("is not an ELF file"))
    #expect(problem(try folder.write([], to: "b.so")).contains("is not an ELF file"))
  }

  @Test(arguments: [1, 10, 25, 50, 75, 90, 99]) func saysWhenItIsCutShort(_ percent: Int) throws {
    let whole = try contents(of: buildFolder + "/libExample.so")
    let file = try folder.write(whole.prefix(whole.count * percent / 100), to: "cut.so")
    #expect(problem(file).contains("is cut short"))
  }

  @Test func saysWhenItIsForAnotherMachine() throws {
    var bytes = try contents(of: buildFolder + "/libExample.so")
    bytes[18] = 0xf3
    #expect(problem(try folder.write(bytes, to: "riscv.so")).contains("is built for another machine"))
  }

  @Test(
    arguments: [
      (4, 1, "is of another ELF class"), (5, 2, "is built for another byte order"),
      (18, 0xf3, "is built for another machine, RISC-V, not for this one, "),
    ] as [(Int, UInt8, String)])
  func saysWhatOfTheMachineDiffers(_ place: Int, _ value: UInt8, _ words: String) throws {
    var bytes = try contents(of: buildFolder + "/libExample.so")
    bytes[place] = value
    #expect(problem(try folder.write(bytes, to: "other.so")).contains(words))
  }

  /// A program of another kind, or of another version, ends, says nothing, or says what nobody understands.
  @Test(arguments: [
    "exit 0", "exit 1", "kill -9 $$", "sleep 600", "printf '\\011\\0\\0\\0\\200\\377\\377\\377\\377' >&3",
  ])
  func blamesTheHostProgramForWhatIsNotThePlugins(_ script: String) throws {
    var catalog = catalog
    catalog.hostExecutable = try folder.write(Array("#!/bin/sh\n\(script)\n".utf8), to: "host")
    #expect(chmod(catalog.hostExecutable, 0o755) == 0)
    if script.hasPrefix("sleep") { catalog.scanLimit = .milliseconds(300) }
    let library = try compilePlugin(healthy, named: "noop", in: folder)
    let problem = catalog.describe(file: library).problem ?? "none"
    #expect(problem.contains("could not be looked at"))
    #expect(problem.contains("is it the carbontube-plugin-host of this carbontube?"))
    // Nothing of that is kept: with the right program it is a plugin.
    catalog.hostExecutable = self.catalog.hostExecutable
    catalog.scanLimit = self.catalog.scanLimit
    #expect(catalog.describe(file: library).problem == nil)
  }

  @Test func saysWhenANameIsNoText() throws {
    let name = Array(folder.path.utf8) + Array("/".utf8) + [0xff, 0xfe] + Array(".so".utf8)
    let file = name.withUnsafeBufferPointer { bytes in
      (Array(bytes) + [0]).withUnsafeBytes { path in
        path.assumingMemoryBound(to: CChar.self).baseAddress.map { open($0, O_CREAT | O_WRONLY, 0o600) } ?? -1
      }
    }
    #expect(file >= 0)
    close(file)
    let found = catalog.describe(files: PluginFolder.files(in: folder.path) ?? [])
    #expect(found.map(\.problem).contains { $0?.hasSuffix("has a name that is not UTF-8; rename it") == true })
  }

  @Test func refusesHeadersWithoutEndAtOnce() throws {
    var bytes = try contents(of: try compilePlugin(healthy, named: "noop", in: folder))
    (bytes[56], bytes[57]) = (0xff, 0xff)
    #expect(problem(try folder.write(bytes, to: "notes.so")).contains("has 65535 program headers"))
  }

  @Test func refusesAFileThatIsTooLargeBeforeItIsCopied() throws {
    let library = try compilePlugin(healthy, named: "noop", in: folder)
    #expect(truncate(library, 3 << 30) == 0)
    #expect(problem(library).contains("is 3221225472 bytes long; a plugin may have 536870912 (512 MiB)"))
    #expect(PluginFolder.files(in: folder.path + "/state/plugins") == nil)
  }

  @Test func namesAnAllowListThatIsNotThere() throws {
    let library = try compilePlugin(healthy, named: "noop", in: folder)
    let list = AllowList(path: folder.path + "/missing")
    let refusal = #expect(throws: PluginRefusal.self) { try list.check("00", of: library) }
    #expect(refusal?.description.hasPrefix("\(library) cannot be allowed") == true)
    #expect(refusal?.reason.contains("\(folder.path)/missing does not exist") == true)
  }

  @Test func namesAStateFolderThatCannotBeUsed() throws {
    let library = try compilePlugin(healthy, named: "noop", in: folder)
    let place = try folder.write([], to: "no-folder")
    let description = PluginCatalog(stateFolder: place + "/state").describe(file: library)
    #expect(description.problem?.contains("cannot be copied to \(place)/state/plugins: Not a directory") == true)
    #expect(description.problem?.contains("CARBONTUBE_STATE_DIR") == true)
  }

  @Test func saysWhenItIsAProgram() throws {
    let file = try folder.write("int main(void) { return 0; }".utf8, to: "main.c")
    try run("clang", "-no-pie", file, "-o", folder.path + "/main")
    #expect(problem(folder.path + "/main").contains("is not a shared object"))
  }

  @Test func saysWhenItHasNoNote() throws {
    let bare = healthy.replacing("CT_PLUGIN_NOTE(0, 0);", with: "")
    #expect(problem(try compilePlugin(bare, named: "bare", in: folder)).contains("carries no CarbonTube note"))
  }

  @Test func saysWhenItHasNoEntry() throws {
    let nameless = healthy.replacing("*carbontube_plugin_v1(", with: "*some_other_name(")
    #expect(
      problem(try compilePlugin(nameless, named: "a", in: folder)).contains("does not export carbontube_plugin_v1"))
  }

  @Test func saysWhenItsABIIsAnother() throws {
    let note = "#include \"carbontube.h\"\n#undef CT_ABI_MAJOR\n#define CT_ABI_MAJOR 2\n" + healthy
    #expect(problem(try compilePlugin(note, named: "a", in: folder)).contains("is built for plugin ABI 2"))
    let table = healthy.replacing(".abi_major = 1", with: ".abi_major = 7")
    #expect(problem(try compilePlugin(table, named: "b", in: folder)).contains("is built for plugin ABI 7"))
  }

  @Test func saysWhenItsSwiftIsAnother() throws {
    let old = healthy.replacing("NOTE(0, 0)", with: "NOTE(CT_NOTE_SWIFT_DYNAMIC, 509)")
    #expect(problem(try compilePlugin(old, named: "a", in: folder)).contains("is built with Swift 5.9"))
  }

  @Test func survivesConstructors() throws {
    func constructor(_ body: String) throws -> String {
      let source =
        "#include <stdio.h>\n#include <stdlib.h>\n" + healthy
        + "\n__attribute__((constructor)) static void early(void) { \(body) }\n"
      return problem(try compilePlugin(source, named: "early", in: folder))
    }
    #expect(try constructor("__builtin_trap();").contains("crashes when it is loaded: SIGILL"))
    #expect(try constructor(#"fprintf(stderr, "out of luck\n"); abort();"#).contains("SIGABRT: abort()"))
    #expect(try constructor("exit(0);").contains("exited with code 0 without a result"))
    #expect(try constructor(#"puts("hello"); fflush(stdout);"#) == "none")
  }

  @Test func doesNotWaitForeverForAConstructor() throws {
    let source =
      "#include <unistd.h>\n" + healthy
      + "\n__attribute__((constructor)) static void early(void) { for (;;) pause(); }\n"
    var catalog = catalog
    catalog.scanLimit = .seconds(1)
    let description = catalog.describe(file: try compilePlugin(source, named: "slow", in: folder))
    #expect(description.state == .timeout(seconds: 1))
  }

  @Test func refusesWhatOthersCanChange() throws {
    let library = try compilePlugin(healthy, named: "noop", in: folder)
    chmod(library, 0o666)
    #expect(problem(library).contains("others may write to; run chmod go-w \(library)"))
    chmod(library, 0o644)
    chmod(folder.path, 0o777)
    #expect(problem(library).contains("lies in \(folder.path), which others may write to"))
  }
}
