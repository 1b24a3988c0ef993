internal import ArgumentParser
internal import CarbonTube
internal import Glibc
internal import HostProtocol
internal import HostSupervision

struct PluginsTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run one phase once, in a child, with no coordinator: for authors of plugins.",
    usage: "carbontube plugins test <library> <job-type> [<instructions>] [<options>]",
    discussion: "Prints the result on stdout, log lines, time and memory on stderr. Exits with 0 only on success.")

  @Argument(help: "The plugin's file.", completion: .plugin) var library: String
  @Argument(help: "The phase's job_type.", completion: .phaseOfPlugin) var jobType: String
  @Argument(help: "A JSON object.") var instructions = "{}"
  @Option(help: ArgumentHelp("Kill the phase when it takes longer.", valueName: "seconds")) var timeout = 60.0

  @Flag(help: "Hand the child to gdb before the phase runs: set breakpoints, then 'continue'. No --timeout then.")
  var gdb = false

  @OptionGroup var schemaOption: SchemaOption
  @OptionGroup(title: "What the phase is given") var provision: SettingsOptions

  func validate() throws {
    guard (0.001...86_400).contains(timeout) else { throw ValidationError("--timeout must be 0.001 to 86400 seconds") }
  }

  func run() throws {
    let bytes = Array(instructions.utf8)
    do throws(InstructionsError) {
      try InstructionsJSON.check(bytes)
    } catch {
      throw CommandFailure(.data, "\(error.message) (given: \(excerpt(instructions)))")
    }
    let description = try PluginFile(library).description
    let given = try provision.given()
    do {
      let phase = try description.phase(jobType)
      if let problem = settingsProblem(given.settings, for: phase) { throw CommandFailure(.configuration, problem) }
    } catch let error as PluginRefusal {
      throw CommandFailure(.usage, error.description)
    }
    let schema = schemaOption.schema(of: jobType, in: description.phases) {
      StandardStreams.complain("carbontube: \($0)")
    }
    if case .unfit(let problem)? = schema?.verdict(on: bytes) { throw CommandFailure(.data, problem) }
    let host: PluginHost
    do throws(HostSpawnError) {
      host = try PluginHost(
        PluginHostConfiguration(
          library: description.stagedPath, role: .phase(jobType: jobType),
          limits: PluginHostConfiguration.Limits(writesCoreFiles: given.writesCoreFiles), environment: given.variables,
          settings: given.settings.value(for: jobType).json, secrets: given.secrets,
          workDirectory: given.workDirectory))
    } catch {
      throw CommandFailure(.configuration, "the child that loads plugins cannot be started: \(error)")
    }
    try show(host, bytes)
  }

  private func show(_ host: PluginHost, _ instructions: [UInt8]) throws(CommandFailure) {
    let clock = ContinuousClock()
    try awaitReadiness(of: host)
    let debugger = gdb ? try attachDebugger(to: host) : nil
    defer {
      if let debugger {
        // gdb sees the child end instead of waiting for what it does next.
        host.requestStop()
        debugger.awaitEnd()
      }
    }
    let start = clock.now
    host.run(HostJob(token: 1, jobID: "plugins-test", pipeline: "", attempt: 1, instructions: instructions))
    let wait = host.wait(upTo: .seconds(gdb ? 86_400 : timeout)) { event -> HostResult? in
      switch event {
      case .log(_, let level, let message, let fields):
        let rest = fields.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        StandardStreams.complain("log \(level): \(message)\(rest.isEmpty ? "" : " [\(rest)]")")
      case .measured(_, let measures):
        for measure in measures { StandardStreams.complain("\(measure.kind) \(measure.words)") }
      case .progress(_, let fraction, let note):
        StandardStreams.complain("progress \(Int(fraction * 100)) %\(note.isEmpty ? "" : ": \(note)")")
      case .finished(_, let result, _): return result
      default: break
      }
      return nil
    }
    let took = clock.now - start
    let milliseconds = Double(took.components.seconds) * 1e3 + Double(took.components.attoseconds) / 1e15
    switch wait {
    case .value(let result):
      let memory = host.pluginProcessID.flatMap(Self.peakMemory).map { ", peak memory \($0)" } ?? ""
      StandardStreams.complain("took \((milliseconds * 100).rounded() / 100) ms\(memory)")
      try show(result)
    case .timedOut:
      host.kill()
      throw CommandFailure(.refused, "\(jobType) did not end within \(timeout) s and was killed")
    case .ended(let exit, let malformed):
      let words = host.standardErrorTail()
      for line in words.split(separator: "\n") { StandardStreams.complain(String(line)) }
      throw CommandFailure(.refused, "\(jobType) ended without a result: \(malformed ?? exit.explanation)")
    }
  }

  private func attachDebugger(to host: PluginHost) throws(CommandFailure) -> Debugger {
    guard let child = host.pluginProcessID else {
      throw CommandFailure(.unavailable, "--gdb: the child is not to be found; is /proc mounted?")
    }
    do {
      return try Debugger(attachedTo: child)
    } catch {
      host.kill()
      throw error
    }
  }

  private func awaitReadiness(of host: PluginHost) throws(CommandFailure) {
    let reason: String
    switch host.waitUntilReady(upTo: .seconds(30)) {
    case .value(.success): return
    case .value(.failure(let refusal)): reason = refusal.message
    case .timedOut:
      host.kill()
      reason = "not within 30 s; its init() and create() must not wait for long"
    case .ended(let exit, let malformed): reason = malformed ?? exit.explanation
    }
    let words = host.standardErrorTail()
    if !words.isEmpty { StandardStreams.complain(words) }
    throw CommandFailure(.data, "\(library) did not become ready to run \(jobType): \(reason)")
  }

  private func show(_ result: HostResult) throws(CommandFailure) {
    guard result.status == .ok else {
      let reason = result.error?.description ?? "no reason given"
      throw CommandFailure(.refused, "\(jobType) ended as \(result.status): \(reason)")
    }
    // Without a result the instructions go on as they are, which is a success as well.
    StandardStreams.sayJSON(result.output.map { String(decoding: $0, as: UTF8.self) } ?? "no result")
  }

  /// As the kernel counts it, e.g. `9216 kB`.
  private static func peakMemory(of process: Int32) -> String? {
    guard let file = fopen("/proc/\(process)/status", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      if text.hasPrefix("VmHWM:") {
        return text.dropFirst(6).drop { $0 == " " || $0 == "\t" }.split(separator: "\n").first.map(String.init)
      }
    }
    return nil
  }
}
