import Glibc
import HostSupervision
import PipelineModel
import PluginTestKit
import Synchronization
import Testing
import WireProtocol

@testable import PhaseServing

/// What a worker says and does when things go wrong around it, seen from its coordinator.
@Suite(.timeLimit(.minutes(15))) struct WorkerTests {
  /// A worker of the hazard plugin, in a folder with a cache of its own.
  private final class Scene {
    let coordinator: CoordinatorInName
    let plugin: HazardPlugin
    let log = LogLines()
    let library: String
    var settings: PhaseServerSettings
    private var server: PhaseServer?

    init(_ definitions: String...) throws {
      coordinator = try CoordinatorInName()
      plugin = HazardPlugin(folder: try TemporaryFolder())
      library = try plugin.folder.write(plugin.compiled(build: 1, definitions), to: "libhazard.so")
      settings = PhaseServerSettings(library: library, jobType: "hazard", logger: log.logger)
      settings.meetingAddresses = [coordinator.eventsAddress]
      settings.stateFolder = plugin.folder.path + "/state"
      settings.quarantineAfter = nil
    }

    func start() throws {
      server = try PhaseServer(settings)
      server?.start()
    }

    func awaitFile(_ name: String) throws {
      for _ in 0..<6_000 {
        if access("\(plugin.folder.path)/\(name)", F_OK) == 0 { return }
        poll(nil, 0, 10)
      }
      throw Unexpected("no \(name)")
    }

    deinit {
      server?.stop()
      server?.waitUntilStopped()
    }
  }

  private func job(_ deed: String = "none") -> String { #"{"do":"\#(deed)"}"# }

  @Test func `A worker whose children do not start is impaired, hands back what it gets, and recovers`() throws {
    let scene = try Scene("CREATE=refuse(err)")
    try scene.start()
    let coordinator = scene.coordinator
    try coordinator.until("impaired") { $0.hellos.last?.state == .impaired }
    #expect(coordinator.hellos.allSatisfy { $0.state != .serving })
    #expect(coordinator.hellos.last?.reason.contains("no model") == true)
    let tokens = try coordinator.give([job(), job()])
    try coordinator.untilReported(tokens)
    #expect(tokens.allSatisfy { coordinator.outcome(of: $0) == .handedBack })
    try scene.log.wait(for: "runs no jobs, and hands back what it gets")
    try scene.plugin.folder.write([], to: "model")
    try coordinator.untilServing()
    #expect(coordinator.hellos.last?.reason == "")
    try coordinator.untilReported(try coordinator.give([job()]))
    #expect(coordinator.reports.last?.outcome == .succeeded)
  }

  @Test func `A child that hangs before it is ready is killed at its deadline`() throws {
    let scene = try Scene("CREATE=hang_on()")
    scene.settings.readinessMilliseconds = 300
    try scene.start()
    try scene.coordinator.until("impaired") { $0.hellos.last?.state == .impaired }
    #expect(scene.coordinator.hellos.allSatisfy { $0.state != .serving })
    #expect(scene.coordinator.hellos.last?.reason.contains("not ready within 300 ms") == true)
  }

  @Test func `Without the host program it is impaired, until that is there again`() throws {
    let scene = try Scene()
    let program = scene.plugin.folder.path + "/host"
    #expect(symlink(PluginHostConfiguration.defaultExecutable(), program) == 0)
    scene.settings.hostExecutable = program
    try scene.start()
    let coordinator = scene.coordinator
    try coordinator.untilServing()
    unlink(program)
    let crash = try coordinator.give([job("abort"), job()])
    try coordinator.untilReported(crash)
    #expect(coordinator.outcome(of: crash[0]) == .crashed)
    #expect(coordinator.outcome(of: crash[1]) == .handedBack)
    try coordinator.until("impaired") { $0.hellos.last?.state == .impaired }
    #expect(coordinator.hellos.last?.reason.contains(program) == true)
    #expect(symlink(PluginHostConfiguration.defaultExecutable(), program) == 0)
    try coordinator.untilServing()
  }

  @Test func `A copy that was removed from the cache is made again`() throws {
    let scene = try Scene()
    try scene.start()
    let coordinator = scene.coordinator
    try coordinator.untilServing()
    try run("/bin/rm", "-rf", scene.settings.stateFolder + "/plugins")
    try coordinator.untilReported(try coordinator.give([job("abort")]))
    try coordinator.untilServing()
    // It is serving still, and again once the copy is there.
    while coordinator.reports.last?.outcome != .succeeded {
      try coordinator.untilReported(try coordinator.give([job()]))
    }
    #expect(!coordinator.reports.contains { $0.outcome == .failed })
  }

  @Test func `A copy that was damaged in the cache is made again`() throws {
    let scene = try Scene()
    try scene.start()
    let coordinator = scene.coordinator
    try coordinator.untilServing()
    // Not in place: the child that runs has it mapped.
    try run(
      "/bin/sh", "-c",
      #"for copy in "$1"/plugins/*/*.so; do head -c 3000 "$copy" >"$copy.cut"; mv "$copy.cut" "$copy"; done"#,
      "damage", scene.settings.stateFolder)
    try coordinator.untilReported(try coordinator.give([job("abort")]))
    while coordinator.reports.last?.outcome != .succeeded {
      try coordinator.untilReported(try coordinator.give([job()]))
    }
  }

  @Test func `Where the plugin's file is gone as well it says so`() throws {
    let scene = try Scene()
    try scene.start()
    let coordinator = scene.coordinator
    try coordinator.untilServing()
    try run("/bin/rm", "-rf", scene.settings.stateFolder + "/plugins", scene.library)
    try coordinator.untilReported(try coordinator.give([job("abort")]))
    try coordinator.until("impaired") { $0.hellos.last?.state == .impaired }
    #expect(coordinator.hellos.last?.reason.contains("cannot be made again") == true)
    try scene.log.wait(for: "cannot be made again")
    let token = try coordinator.give([job()])
    try coordinator.untilReported(token)
    #expect(coordinator.outcome(of: token[0]) == .handedBack)
  }

  @Test func `A clock that is set neither ends runs nor silences the worker`() throws {
    let scene = try Scene()
    let shift = Shift()
    scene.settings.clocks = Clocks(
      instant: Instant.now, timestamp: { Timestamp.now() + shift.hours.load(ordering: .relaxed) * 3_600_000 })
    try scene.start()
    let coordinator = scene.coordinator
    try coordinator.untilServing()
    let token = try coordinator.give([job("wait")], timeoutMilliseconds: 300_000)
    try scene.awaitFile("begun")
    for hour in [1, -1, 24, -24, 8_766, -8_766, 0] as [Int64] {
      shift.hours.store(hour, ordering: .relaxed)
      let heard = coordinator.hellos.count
      try coordinator.until("heard again") { $0.hellos.count >= heard + 3 }
      #expect(coordinator.reports.isEmpty)
    }
    try scene.plugin.folder.write([], to: "go-on")
    try coordinator.untilReported(token)
    #expect(coordinator.outcome(of: token[0]) == .succeeded)
  }

  private final class Shift: Sendable {
    let hours = Atomic<Int64>(0)
  }

  @Test func `A recall reaches jobs that wait in a child behind a long one`() throws {
    let scene = try Scene()
    try scene.start()
    let coordinator = scene.coordinator
    try coordinator.untilServing()
    // Quick ones are given to a child many at a time.
    try coordinator.untilReported(try coordinator.give(Array(repeating: job(), count: 300)))
    let tokens = try coordinator.give([job("wait")] + Array(repeating: job(), count: 25))
    try scene.awaitFile("begun")
    try coordinator.order(.recall, tokens)
    try coordinator.untilReported(tokens.dropFirst())
    #expect(tokens.dropFirst().allSatisfy { coordinator.outcome(of: $0) == .handedBack })
    #expect(coordinator.outcome(of: tokens[0]) == nil)
    try scene.plugin.folder.write([], to: "go-on")
    try coordinator.untilReported(tokens)
    #expect(coordinator.outcome(of: tokens[0]) == .succeeded)
    // The child goes on as if nothing had been.
    try coordinator.untilReported(try coordinator.give([job()]))
    #expect(coordinator.reports.last?.outcome == .succeeded)
  }

  @Test func `A job that was lost before waits for the word, and can be had back meanwhile`() throws {
    let scene = try Scene()
    try scene.start()
    let coordinator = scene.coordinator
    coordinator.answersBegan = false
    try coordinator.untilServing()
    let waiting = try coordinator.give([job()], isSuspect: true)
    try coordinator.until("asked again") { $0.questions.count >= 2 }
    #expect(coordinator.questions.allSatisfy { $0 == waiting })
    #expect(coordinator.reports.isEmpty)
    try coordinator.order(.recall, waiting)
    try coordinator.untilReported(waiting)
    #expect(coordinator.outcome(of: waiting[0]) == .handedBack)
    coordinator.answersBegan = true
    let running = try coordinator.give([job()], isSuspect: true)
    try coordinator.untilReported(running)
    #expect(coordinator.outcome(of: running[0]) == .succeeded)
    #expect(coordinator.questions.last == running)
  }

  @Test func `A worker that nobody listens to says so`() throws {
    let scene = try Scene()
    scene.settings.meetingAddresses = ["ipc://\(scene.plugin.folder.path)/nobody"]
    try scene.start()
    try scene.log.wait(for: "no coordinator heard at ipc://\(scene.plugin.folder.path)/nobody, still trying")
  }
}
