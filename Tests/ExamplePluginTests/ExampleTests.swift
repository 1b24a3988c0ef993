import Glibc
import HostProtocol
import HostSupervision
import PluginTestKit
import Testing

/// The example plugins, each phase in a real child of its own.
@Suite struct ExampleTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func host(_ jobType: String, in library: String = "libExample.so") throws -> PluginHost {
    try startHost(library, .phase(jobType: jobType), environment: ["TMPDIR": folder.path])
  }

  func generate(_ instructions: String, id: String = "job-1") throws -> HostResult {
    try host("generate-file").result(of: job(instructions, id: id)).result
  }

  func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  @Test func generatesThatManyLines() throws {
    #expect(
      try generate(#"{"size": 10}"#).output
        == Array(#"{"file_path":"\#(folder.path)/carbontube-job-1.txt"}"#.utf8))
    let lines = try contents(of: folder.path + "/carbontube-job-1.txt").split(separator: UInt8(ascii: "\n"))
    #expect(lines.count == 10)
    #expect(Set(lines).count == 10)
    #expect(lines.allSatisfy { $0.count == 36 })
  }

  @Test func withoutASizeThereIsNoResult() throws {
    #expect(try generate("{}") == HostResult(status: .ok))
  }

  @Test(arguments: ["-1", "10000001", "\"ten\"", "1.5"]) func aSillySizeIsBadInput(_ size: String) throws {
    #expect(try generate(#"{"size": \#(size)}"#).status == .badInput)
  }

  @Test func aSecondAttemptKeepsTheFileOfTheFirst() throws {
    #expect(try generate(#"{"size": 3}"#).status == .ok)
    let first = try contents(of: folder.path + "/carbontube-job-1.txt")
    #expect(try generate(#"{"size": 3}"#).status == .ok)
    #expect(try contents(of: folder.path + "/carbontube-job-1.txt") == first)
  }

  @Test func aLeftoverOfAnotherLengthIsReplaced() throws {
    try folder.write("stale".utf8, to: "carbontube-job-1.txt")
    #expect(try generate(#"{"size": 2}"#).status == .ok)
    #expect(try contents(of: folder.path + "/carbontube-job-1.txt").count == 74)
  }

  @Test func aJobIDCannotLeadOutOfTheFolder() throws {
    #expect(try generate(#"{"size": 1}"#, id: "../../escape").status == .ok)
    // SHA-1 of the id.
    #expect(exists(folder.path + "/carbontube-c1a232eeeec887fd43a38969cad6ac69ddf86573.txt"))
  }

  @Test(arguments: ["libExample.so", "libHashFile.so"]) func hashesAFile(_ library: String) throws {
    let file = try folder.write("abc".utf8, to: "abc.txt")
    let result = try host("calculate-hash", in: library).result(of: job(#"{"file_path": "\#(file)"}"#)).result
    // FIPS 180-2, appendix A.1.
    #expect(result.output == Array(#"{"hash":"a9993e364706816aba3e25717850c26c9cd0d89d"}"#.utf8))
  }

  @Test func aMissingFileIsAWarningAndAnError() throws {
    let (result, before) = try host("calculate-hash").result(of: job(#"{"file_path": "/nowhere/x"}"#))
    #expect(result.status == .failed)
    #expect(result.error?.type == "FileMissing")
    #expect(before.contains(.log(token: 1, level: .warning, message: "no file to hash: /nowhere/x does not exist")))
  }

  @Test(arguments: ["calculate-hash", "delete-file"]) func jobsWithoutAFileGoThrough(_ jobType: String) throws {
    #expect(try host(jobType).result(of: job("{}")).result == HostResult(status: .ok))
  }

  @Test func deletesAFileOnce() throws {
    let file = try folder.write("x".utf8, to: "x.txt")
    let host = try host("delete-file")
    let instructions = #"{"file_path": "\#(file)"}"#
    #expect(try host.result(of: job(instructions)).result == HostResult(status: .ok))
    #expect(!exists(file))
    let again = try host.result(of: job(instructions, token: 2)).result
    #expect(again.status == .permanent)
    #expect(again.error?.type == "FileMissing")
    let repeated = try host.result(of: job(instructions, token: 3, attempt: 2))
    #expect(repeated.result == HostResult(status: .ok))
    #expect(repeated.before.count == 1)
  }
}
