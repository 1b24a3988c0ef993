import Glibc
import HostProtocol
import HostSupervision
import PluginTestKit
import Testing

/// A child's end is the kernel's word, and nothing of a child or a job is left behind it.
@Suite(.timeLimit(.minutes(15))) struct UnrulyPluginTests {
  let folder: TemporaryFolder
  let library: String

  init() throws {
    folder = try TemporaryFolder()
    library = try compileUnrulyPlugin(in: folder)
  }

  func start(_ deed: String) throws -> PluginHost {
    let host = try startHost(library, .phase(jobType: "unruly"))
    host.run(job(#"{"do":"\#(deed)"}"#, token: 7))
    return host
  }

  /// What a child says until it ends.
  func end(of host: PluginHost) throws -> (exit: HostExit, logged: [String]) {
    var logged: [String] = []
    let outcome = host.wait(upTo: patience) { event -> Bool? in
      if case .log(_, _, let message, _) = event { logged.append(message) }
      return nil
    }
    guard case .ended(let exit, _) = outcome else { throw Unexpected("\(outcome): \(logged)") }
    return (exit, logged)
  }

  func helper(in logged: [String]) throws -> Int32 {
    guard let line = logged.first(where: { $0.hasPrefix("helper ") }), let number = Int32(line.dropFirst(7)) else {
      throw Unexpected("no helper in \(logged)")
    }
    return number
  }

  func isGone(_ process: Int32) -> Bool { kill(process, 0) != 0 && errno == ESRCH }

  @Test func aHelperThatHoldsTheChannelDoesNotHideACrash() throws {
    let (exit, logged) = try end(of: start("helper-abort"))
    #expect(exit.signal == SIGABRT)
    #expect(exit.blamesPlugin)
    #expect(try isGone(helper(in: logged)))
  }

  /// The guard hears of the end while it is told of the channel's: neither may hide the other.
  @Test func everyOneOfManyEndsIsSeen() throws {
    for _ in 0..<100 {
      let host = try startHost(
        library, .phase(jobType: "unruly"), environment: ["SWIFT_BACKTRACE": "enable=no"])
      host.run(job(#"{"do":"print-abort"}"#, token: 7))
      #expect(try end(of: host).exit.signal == SIGABRT)
    }
  }

  @Test func killingAChildKillsADaemonOfItsToo() throws {
    let host = try start("helper-hang")
    var helper: Int32?
    _ = host.wait(upTo: patience) { event -> Bool? in
      guard case .log(_, _, let message, _) = event else { return nil }
      helper = try? self.helper(in: [message])
      return helper.map { _ in true }
    }
    let process = try #require(helper)
    #expect(!isGone(process))
    host.kill()
    #expect(try end(of: host).exit.explanation == "SIGKILL: killed by its worker")
    #expect(isGone(process))
  }

  @Test func lettingGoOfAChildLeavesNothing() throws {
    var host: PluginHost? = try start("helper-hang")
    let descriptor = try #require(host?.processDescriptor)
    var helper: Int32?
    _ = host?.wait(upTo: patience) { event -> Bool? in
      guard case .log(_, _, let message, _) = event else { return nil }
      helper = try? self.helper(in: [message])
      return true
    }
    let guardian = try #require(host?.processID)
    #expect(descriptor >= 0)
    host = nil
    #expect(isGone(guardian))
    #expect(try isGone(#require(helper)))
  }

  @Test(arguments: ["daemon", "helper-fail"]) func whatAJobHasStartedEndsWithTheJob(_ deed: String) throws {
    let host = try startHost(library, .phase(jobType: "unruly"))
    let (result, before) = try host.result(of: job(#"{"do":"\#(deed)"}"#, token: 7))
    #expect(result.status == (deed == "daemon" ? .ok : .failed))
    let logged = before.compactMap { event -> String? in
      if case .log(_, _, let message, _) = event { message } else { nil }
    }
    #expect(try isGone(helper(in: logged)))
    #expect(logged.last == "killed 1 process that the job had started and left running")
    // The child lives on, and another job is none the worse.
    #expect(try host.result(of: job("{}", token: 8)).result == HostResult(status: .ok))
  }

  /// It becomes the child's own while a job runs, and is none of that job's.
  @Test func whatCreateHasStartedLivesOn() throws {
    let host = try startHost(library, .phase(jobType: "unruly"), environment: ["UNRULY_SERVER": "1"])
    let (result, before) = try host.result(of: job(#"{"do":"orphan-server"}"#, token: 7))
    #expect(result.status == .ok)
    let logged = before.compactMap { event -> String? in
      if case .log(_, _, let message, _) = event { message } else { nil }
    }
    let server = try helper(in: logged)
    _ = try host.result(of: job("{}", token: 8))
    #expect(!isGone(server))
    host.kill()
    _ = host.finish()
    #expect(isGone(server))
  }

  @Test(arguments: [
    ("close-channel", "it closed descriptor 3 or 4, or used it itself"),
    ("close-channel-hang", "it closed descriptor 3 or 4, or used it itself"),
    ("close-all", "it closed descriptor 3 or 4, or used it itself"),
    ("shut-control", "it closed descriptor 3 or 4, or used it itself"),
    ("junk", "a field goes past the end of its frame"),
  ])
  func whoBreaksItsChannelIsBlamed(_ deed: String, _ fault: String) throws {
    let (exit, _) = try end(of: start(deed))
    #expect(exit.explanation == "the plugin broke the channel to its worker: \(fault)")
    #expect(exit.type == "BrokenChannel")
    #expect(exit.blamesPlugin)
  }

  @Test func whatWasPrintedBeforeACrashIsKept() throws {
    let host = try start("print-abort")
    #expect(try end(of: host).exit.signal == SIGABRT)
    // Before what the backtrace says.
    #expect(host.standardErrorTail().contains("half of the way\n"))
  }

  @Test func cancelMayLogAndShowProgress() throws {
    let host = try start("cancel")
    var logged: [String] = []
    let outcome = host.wait(upTo: patience) { event -> HostResult? in
      if case .log(_, _, let message, _) = event {
        if message.hasPrefix("waiting") { host.cancel(token: 7) }
        logged.append(message)
      }
      if case .finished(7, let result, _) = event { return result }
      return nil
    }
    guard case .value(let result) = outcome else { throw Unexpected("\(outcome): \(logged)") }
    #expect(result.status == .cancelled)
    // It may be over before cancel() has its turn, never in the middle of it.
    #expect(logged.allSatisfy { $0.hasPrefix("waiting") || $0.hasPrefix("cancel called in") })
  }

  @Test(arguments: ["list", "return-list"]) func aResultThatIsNoObjectIsAnErrorWithWords(_ deed: String) throws {
    let host = try startHost(library, .phase(jobType: "unruly"))
    let result = try host.result(of: job(#"{"do":"\#(deed)"}"#)).result
    #expect(
      result
        == HostResult(
          status: .internalError, error: HostError(message: "its result is not a JSON object", type: "BadResult")))
  }

  @Test func aResultKeepsItsBytes() throws {
    let host = try startHost(library, .phase(jobType: "unruly"))
    let numbers = #"{"huge": 1e309, "wei":18446744073709551616, "s" : -0.0}"#
    #expect(try host.result(of: job(#"{"do":"numbers"}"#)).result.output == Array(numbers.utf8))
  }

  @Test func somebodyWhoKillsTheGuardTakesTheChildAlong() throws {
    let host = try startHost(library, .phase(jobType: "unruly"))
    _ = host.waitUntilReady(upTo: patience)
    let child = try #require(host.pluginProcessID)
    kill(host.processID, SIGKILL)
    let exit = try host.exit()
    #expect(exit.signal == SIGKILL)
    #expect(!exit.blamesPlugin)
    // The kernel has its own pace.
    while !isGone(child) { poll(nil, 0, 1) }
  }

  @Test func signalsReachTheChild() throws {
    let host = try startHost(library, .phase(jobType: "unruly"))
    _ = host.waitUntilReady(upTo: patience)
    kill(host.processID, SIGTERM)
    #expect(try host.exit().signal == SIGTERM)
  }

  @Test func limitsThatNothingCanLiveWithAreRefusedInWords() throws {
    for files in [0, 4, 15] as [UInt] {
      let host = try startHost(library, .phase(jobType: "unruly"), limits: .init(openFiles: files))
      guard case .value(.failure(let refusal)) = host.waitUntilReady(upTo: patience) else {
        throw Unexpected(host.standardErrorTail())
      }
      #expect(refusal.kind == .hostMisuse)
      #expect(refusal.message == "cannot be run with a limit of \(files) open files; its process needs 16 or more")
    }
    for bytes in [0, 1_000_000] as [UInt] {
      let host = try startHost(library, .phase(jobType: "unruly"), limits: .init(memoryBytes: bytes))
      guard case .value(.failure(let refusal)) = host.waitUntilReady(upTo: patience) else {
        throw Unexpected(host.standardErrorTail())
      }
      #expect(refusal.message.hasPrefix("cannot be run with a memory limit of \(bytes) bytes; its process needs "))
    }
  }
}
