internal import Dispatch
internal import Glibc
internal import HostProtocol
internal import Logging
internal import PipelineModel
internal import PluginCatalog
internal import Synchronization
internal import WireProtocol
internal import ZeroMQTransport

/// A worker of one phase: serves one `job_type` of one plugin with `concurrency` PluginHost children, from a thread of its own.
///
/// All methods may be called from any thread.
public final class PhaseServer: Sendable {
  private let control: ServiceControl
  private let shared: Mutex<Shared>
  /// Entered from `start` until the loop has ended; any number of threads may wait for it.
  private let loop = DispatchGroup()

  private struct Shared {
    /// Until it is started.
    var loop: SentLoop?
    var thread: LoopThread?
  }

  /// Looks at the plugin in a child process; nothing else happens before `start`. Blocks until
  /// the plugin has described itself, 5 s at most.
  ///
  /// - Throws: where the file cannot be used, has no such phase, or an address cannot be used.
  @available(*, noasync, message: "blocks; in a task write: try await PhaseServer(…)")
  public convenience init(_ settings: PhaseServerSettings) throws(PhaseServerError) {
    try self.init(settings, staged: try Self.look(at: settings))
  }

  /// See the other form; blocks no thread.
  public convenience init(_ settings: PhaseServerSettings) async throws {
    let look = await withCheckedContinuation { seen in
      DispatchQueue.global().async { seen.resume(returning: Result { try Self.look(at: settings) }) }
    }
    try self.init(settings, staged: try look.get())
  }

  private init(_ settings: PhaseServerSettings, staged: StagedPlugin) throws(PhaseServerError) {
    guard let id = WorkerName(settings.workerID).ofOnlyService else { throw .unusableName }
    let mailbox = LoopMailbox()
    let loop = try WorkerLoop(settings, mailbox)
    control = ServiceControl(wake: mailbox.wake)
    mailbox.add(try PhaseService(settings, id: id, staged: staged, control: control))
    mailbox.close()
    shared = Mutex(Shared(loop: SentLoop(loop: loop)))
  }

  private static func look(at settings: PhaseServerSettings) throws(PhaseServerError) -> StagedPlugin {
    let file = settings.library
    guard access(file, F_OK) == 0 else {
      throw PhaseServerError(kind: .noInput, message: "\(file) does not exist; name a plugin's .so file")
    }
    let description = PluginCatalog(stateFolder: settings.stateFolder, hostExecutable: settings.hostExecutable)
      .describe(file: file)
    // A build in quarantine is waited for: it may be released while the worker is up.
    if let problem = description.problem, !description.state.isQuarantined {
      throw PhaseServerError(kind: .plugin, message: problem)
    }
    let phase: PhaseDescription
    do throws(PluginRefusal) {
      phase = try description.phase(settings.jobType)
    } catch {
      throw PhaseServerError(kind: .noSuchPhase, message: error.description)
    }
    if let problem = settingsProblem(settings.phaseSettings, for: phase) {
      throw PhaseServerError(kind: .settings, message: "\(file): \(problem)")
    }
    return StagedPlugin(path: description.stagedPath, sha256: description.sha256)
  }

  /// Starts the event loop. Once.
  public func start() {
    shared.withLock { shared in
      guard shared.thread == nil, let sent = shared.loop else { return }
      shared.loop = nil
      loop.enter()
      shared.thread = LoopThread(name: "carbontube-worker") { [loop] in
        sent.loop.run()
        loop.leave()
      }
    }
  }

  /// Finishes what runs, gives back what waits, takes nothing new, then ends; at the drain's deadline gives back what
  /// still runs.
  public func drain() { control.ask(.drain) }

  /// Gives everything back at once and ends.
  public func stop() { control.ask(.stop) }

  /// Returns when the worker has ended.
  @available(*, noasync, message: "blocks; in a task write: await waitUntilStopped()")
  public func waitUntilStopped() { joinThread() }

  /// See the other form; blocks no thread.
  public func waitUntilStopped() async {
    await withCheckedContinuation { over in loop.notify(queue: .global()) { over.resume() } }
    // What is left to wait for is the end of a thread that has done its work.
    joinThread()
  }

  private func joinThread() {
    loop.wait()
    let thread = shared.withLock { shared in
      defer { shared.thread = nil }
      return shared.thread
    }
    thread?.join()
  }
}

/// Handed to the loop's thread once, before it runs; never touched by two threads.
struct SentLoop: @unchecked Sendable {
  let loop: WorkerLoop
}

extension PhaseServerError {
  static var unusableName: PhaseServerError {
    PhaseServerError(kind: .address, message: "this machine's name cannot be part of a worker's id")
  }
}
