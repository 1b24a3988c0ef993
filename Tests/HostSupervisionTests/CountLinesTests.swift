import Glibc
import HostProtocol
import HostSupervision
import PluginTestKit
import Testing

/// The phase in plain C, through a real child: the boundary holds without any Swift behind it.
@Suite struct CountLinesTests {
  @Test func countsLines() throws {
    let host = try startHost("libCountLines.so", .phase(jobType: "count-lines"))
    let folder = try TemporaryFolder()
    let path = try folder.write("a\nb\nc".utf8, to: "text")
    let (result, before) = try host.result(of: job(#"{"file_path": "\#(path)"}"#))
    #expect(result == HostResult(status: .ok, output: Array(#"{"lines": 2}"#.utf8)))
    guard case .ready(let library) = before.first else { throw Unexpected("\(before)") }
    #expect(library.phases.map(\.jobType) == ["count-lines"])
  }

  @Test func runsManyJobsInOrder() throws {
    let host = try startHost("libCountLines.so", .phase(jobType: "count-lines"))
    let folder = try TemporaryFolder()
    let path = try folder.write("x\n".utf8, to: "text")
    for token in 1...200 { host.run(job(#"{"file_path": "\#(path)"}"#, token: UInt64(token))) }
    var tokens: [UInt64] = []
    _ = host.wait(upTo: patience) { event -> Bool? in
      if case .finished(let token, _, _) = event { tokens.append(token) }
      return tokens.count == 200 ? true : nil
    }
    #expect(tokens == Array(1...200))
    #expect(host.outstanding.isEmpty)
  }

  @Test func saysWhatIsWrong() throws {
    let host = try startHost("libCountLines.so", .phase(jobType: "count-lines"))
    let bad = try host.result(of: job("{}")).result
    #expect(bad.status == .badInput)
    #expect(bad.error?.message == "file_path must name a file")
    let missing = try host.result(of: job(#"{"file_path": "/nowhere/at/all"}"#, token: 2)).result
    #expect(missing.status == .failed)
    #expect(missing.error?.type == "FileMissing")
    #expect(missing.error?.location == "count_lines.c")
  }

  @Test func refusesAnUnknownJobTypeAndNamesWhatThereIs() throws {
    let host = try startHost("libCountLines.so", .phase(jobType: "juggle"))
    guard case .value(.failure(let refusal)) = host.waitUntilReady(upTo: patience) else {
      throw Unexpected(host.standardErrorTail())
    }
    #expect(refusal.kind == .unknownJobType)
    #expect(refusal.message == "has no phase 'juggle'; it has: count-lines")
  }

  @Test func endsWithCodeZeroWhenAskedToStop() throws {
    let host = try startHost("libCountLines.so", .phase(jobType: "count-lines"))
    _ = host.waitUntilReady(upTo: patience)
    host.requestStop()
    #expect(try host.exit() == HostExit(cause: .code(0), wasAskedToStop: true))
  }

  @Test func tellsThatItWasKilled() throws {
    let host = try startHost("libCountLines.so", .phase(jobType: "count-lines"))
    _ = host.waitUntilReady(upTo: patience)
    host.kill()
    #expect(try host.exit().explanation == "SIGKILL: killed by its worker")
  }

  @Test func saysWhichProgramIsMissing() {
    let configuration = PluginHostConfiguration(
      executable: "/nowhere/carbontube-plugin-host", library: "/x.so", role: .scan)
    #expect { try PluginHost(configuration) } throws: { error in
      "\(error)".hasPrefix("cannot start /nowhere/carbontube-plugin-host: No such file or directory")
    }
  }
}
