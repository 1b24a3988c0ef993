internal import Dispatch
internal import Glibc
internal import HostProtocol
internal import Logging
internal import PipelineModel
internal import PluginCatalog
internal import Synchronization
internal import WireProtocol
internal import ZeroMQTransport

/// A worker: serves one `job_type` of one plugin with `concurrency` PluginHost children, from a thread of its own.
///
/// All methods may be called from any thread.
public final class PhaseServer: Sendable {
  private let control = WorkerControl()
  private let shared = Mutex(Shared())
  /// Entered from `start` until the loop has ended; any number of threads may wait for it.
  private let loop = DispatchGroup()
  private let whenEnded: @Sendable () -> Void

  private struct Shared {
    var worker: SentWorker?
    var thread: LoopThread?
    var hasEnded = false
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

  /// For a plugin that was looked at already.
  /// - Parameter whenEnded: called on the loop's thread at its end, after which `hasEnded` is true.
  init(
    _ settings: PhaseServerSettings, staged: StagedPlugin, whenEnded: @escaping @Sendable () -> Void = {}
  ) throws(PhaseServerError) {
    self.whenEnded = whenEnded
    if let problem = Self.addressProblem(in: settings) { throw PhaseServerError(kind: .address, message: problem) }
    guard (1...Hello.maximumInFlight / 2).contains(settings.concurrency) else {
      throw PhaseServerError(kind: .address, message: "concurrency \(settings.concurrency) is not within 1 to 2048")
    }
    let random = String(UInt32.random(in: 0 ... .max), radix: 36)
    let name = settings.workerID ?? WorkerID("\(Worker.nameOfThisMachine())-\(getpid())-\(random)")
    guard let name else {
      throw PhaseServerError(kind: .address, message: "this machine's name cannot be part of a worker's id")
    }
    do throws(TransportError) {
      let worker = try Worker(settings: settings, id: name, staged: staged, control: control)
      shared.withLock { $0.worker = SentWorker(worker: worker) }
    } catch {
      throw PhaseServerError(kind: .address, message: error.message)
    }
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

  private static func addressProblem(in settings: PhaseServerSettings) -> String? {
    (settings.meetingAddresses + settings.coordinatorAddresses).lazy
      .compactMap { WireProtocol.addressProblem($0, binding: false) }.first
  }

  /// The loop has ended: it was drained or stopped, by this program or by a coordinator.
  var hasEnded: Bool { shared.withLock { $0.hasEnded } }

  /// Starts the event loop. Once.
  public func start() {
    shared.withLock { shared in
      guard shared.thread == nil, let sent = shared.worker else { return }
      shared.worker = nil
      loop.enter()
      shared.thread = LoopThread(name: "carbontube-worker") { [self] in
        sent.worker.run()
        self.shared.withLock { $0.hasEnded = true }
        loop.leave()
        whenEnded()
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

/// How other threads reach a worker's loop.
final class WorkerControl: Sendable {
  let wake = WakeUp()
  private let state = Mutex(Worker.Wish.serve)

  var wish: Worker.Wish { state.withLock { $0 } }

  func ask(_ wish: Worker.Wish) {
    state.withLock { $0 = max($0, wish) }
    wake.signal()
  }
}

/// Handed to the loop's thread once, before it runs; never touched by two threads.
private struct SentWorker: @unchecked Sendable {
  let worker: Worker
}
