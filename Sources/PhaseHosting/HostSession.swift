import CPhaseABI
import Glibc
import HostProtocol

/// From a loaded plugin to the end of the process, on the thread that all calls into the plugin are made on.
struct HostSession: Sendable {
  let library: PluginLibrary
  let description: LibraryDescription
  let arguments: HostArguments
  let setup: HostSetup
  let channel: ReportChannel
  let running: CurrentJob
  let control: ControlLoop

  func runAndExit() -> Never {
    do {
      switch arguments.role {
      case .scan: channel.send(.ready(description))
      case .phase(let jobType): try servePhase(jobType)
      case .pipeline(let name): try servePipeline(name)
      }
    } catch {
      refuse(error, on: channel)
    }
    // Not exit(): a plugin has shutdown() to clean up; its static destructors would race with its own threads.
    _exit(HostExitCode.done)
  }

  private func servePhase(_ jobType: String) throws(HostRefusalError) {
    let offered = description.phases.map(\.jobType)
    guard let index = offered.firstIndex(of: jobType), let phase = (library.plugin.field(\.phases) ?? nil)?[index]
    else {
      throw HostRefusalError(
        .unknownJobType, "has no phase '\(jobType)'; it has: \(listed(offered))", available: offered)
    }
    let error = CallError()
    try initialize(error)
    let runner = try PhaseRunner(
      phase, running: running, settings: setup.settings, workDirectory: arguments.workDirectory, error: error)
    var folder = WorkFolder(path: arguments.workDirectory)
    var left = LeftProcesses()
    channel.send(.ready(description))
    try eachRequest { request throws(HostRefusalError) in
      guard case .job(let job) = request else { throw HostRefusalError(.hostMisuse, "got a hook for a phase") }
      guard running.mayBegin(token: job.token) else { return }
      left.begin()
      let begun = monotonicNanoseconds()
      let result = runner.run(job)
      let nanoseconds = monotonicNanoseconds() - begun
      let killed = left.end(afterNanoseconds: nanoseconds)
      if killed > 0 { channel.send(.log(token: job.token, level: .warning, message: wordsOnKilled(killed))) }
      let measures = running.takeMeasures()
      if !measures.isEmpty { channel.send(.measured(token: job.token, measures)) }
      channel.send(.finished(token: job.token, result, nanoseconds: nanoseconds))
      if let problem = folder?.empty() { channel.send(.log(token: 0, level: .warning, message: problem)) }
    }
    runner.finish()
    shutDown()
  }

  private func servePipeline(_ name: String) throws(HostRefusalError) {
    let offered = description.pipelines.map(\.name)
    guard let index = offered.firstIndex(of: name), let pipeline = (library.plugin.field(\.pipelines) ?? nil)?[index]
    else {
      throw HostRefusalError(
        .unknownPipeline, "has no pipeline '\(name)'; it has: \(listed(offered))", available: offered)
    }
    let error = CallError()
    try initialize(error)
    let runner = try PipelineRunner(pipeline, channel: channel, error: error)
    channel.send(.ready(description))
    try eachRequest { request throws(HostRefusalError) in
      guard case .hook(let call) = request else { throw HostRefusalError(.hostMisuse, "got a job for a pipeline") }
      channel.send(.hookFinished(token: call.token, runner.call(call)))
    }
    runner.finish()
    shutDown()
  }

  /// Until the parent says stop or closes the channel.
  private func eachRequest(_ body: (HostRequest) throws(HostRefusalError) -> Void) throws(HostRefusalError) {
    var stream = FrameStream(descriptor: HostDescriptor.jobs)
    while true {
      let request: HostRequest
      do {
        guard let frame = try stream.next() else { return }
        request = try HostRequest(frame: frame)
      } catch {
        throw HostRefusalError(.hostMisuse, "cannot read its orders: \(error)")
      }
      if control.isStopping { return }
      try body(request)
      if control.isStopping { return }
    }
  }

  private func initialize(_ error: CallError) throws(HostRefusalError) {
    guard let initialize = library.plugin.field(\.`init`) ?? nil else { return }
    error.reset()
    let result = error.result(initialize(makeHost(channel), error.pointer))
    if let failure = result.error {
      throw HostRefusalError(.initializationFailed, "could not be initialized: \(failure)")
    }
  }

  private func shutDown() {
    (library.plugin.field(\.shutdown) ?? nil)?()
  }
}

private func wordsOnKilled(_ count: Int) -> String {
  "killed \(count) process\(count == 1 ? "" : "es") that the job had started and left running"
}

private func listed(_ names: [String]) -> String {
  names.isEmpty ? "none" : names.joined(separator: ", ")
}
