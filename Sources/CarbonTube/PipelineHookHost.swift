internal import Coordination
internal import Dispatch
internal import HostProtocol
internal import HostSupervision
internal import Logging
internal import PluginCatalog
internal import Synchronization
internal import WireProtocol
internal import ZeroMQTransport

/// Calls the hooks that a plugin's author wrote for a pipeline, in a child of its own: whatever they do, the
/// coordinator goes on.
///
/// `call` blocks until the hook has ended. Any thread; calls run one after the other.
final class PipelineHookHost: Sendable {
  private let requests = HookRequests()

  struct Answer: Sendable {
    var result: HostResult
    /// What `initialize` chose.
    var settings: [(name: String, value: String)] = []

    static func failed(_ type: String, _ message: String) -> Answer {
      Answer(result: HostResult(status: .failed, error: HostError(message: message, type: type)))
    }
  }

  /// - Throws: where the machine is out of threads.
  init(_ configuration: PluginHostConfiguration, logger: Logger) throws(TransportError) {
    let hooks = HookThread(configuration, logger)
    // A child dies with the thread that spawned it, so one thread does all and lasts as long as this object.
    let thread = try LoopThread(starting: "carbontube-hooks") { [requests] in hooks.serve(requests) }
    thread.detach()
  }

  deinit { requests.add(HookRequests.Request(hook: nil) { _ in }) }

  func call(_ hook: HostHook) -> Answer {
    let done = DispatchSemaphore(value: 0)
    let answered = Mutex<Answer?>(nil)
    requests.add(
      HookRequests.Request(hook: hook) { answer in
        answered.withLock { $0 = answer }
        done.signal()
      })
    done.wait()
    return answered.withLock { $0 } ?? .failed("HookLost", "the hook did not answer")
  }

  /// Ends the child and the thread.
  func stop() {
    let done = DispatchSemaphore(value: 0)
    requests.add(HookRequests.Request(hook: nil) { _ in done.signal() })
    // A hook that is still at work ends with this process.
    _ = done.wait(timeout: .now() + .seconds(1))
  }
}

/// What the hooks' thread is asked for, in order.
private final class HookRequests: Sendable {
  struct Request: Sendable {
    /// Nil: the end.
    var hook: HostHook?
    var answer: @Sendable (PipelineHookHost.Answer) -> Void
  }

  private struct State {
    var waiting: [Request] = []
    var isOver = false
  }

  private let state = Mutex(State())
  private let pending = DispatchSemaphore(value: 0)

  func add(_ request: Request) {
    let isOver = state.withLock { state in
      if !state.isOver { state.waiting.append(request) }
      defer { state.isOver = state.isOver || request.hook == nil }
      return state.isOver
    }
    guard !isOver else { return request.answer(.failed("HookLost", "the process of the hooks has ended")) }
    pending.signal()
  }

  /// Blocks until there is one.
  func next() -> Request {
    pending.wait()
    return state.withLock { $0.waiting.removeFirst() }
  }
}

/// What the hooks' thread does.
private struct HookThread: Sendable {
  /// How long one hook may take before its child is killed.
  private static let limit = Duration.seconds(60)

  private let configuration: PluginHostConfiguration
  private let lease: StagedPluginLease
  private let logger: Logger

  init(_ configuration: PluginHostConfiguration, _ logger: Logger) {
    self.configuration = configuration
    lease = StagedPluginLease(path: configuration.library)
    self.logger = logger
  }

  func serve(_ requests: HookRequests) {
    var host: PluginHost?
    var unwritten: Set<String> = []
    var token: UInt64 = 0
    while true {
      let request = requests.next()
      guard let hook = request.hook else {
        host = nil
        return request.answer(PipelineHookHost.Answer(result: HostResult(status: .ok)))
      }
      guard !unwritten.contains(hook.name) else {
        request.answer(PipelineHookHost.Answer(result: HostResult(status: .unsupported)))
        continue
      }
      token += 1
      let answer = call(HostHookCall(token: token, hook: hook), in: &host)
      if answer.result.status == .unsupported { unwritten.insert(hook.name) }
      request.answer(answer)
    }
  }

  /// Starts the child where there is none: the first time, and after one that crashed or was killed.
  private func call(_ call: HostHookCall, in host: inout PluginHost?) -> PipelineHookHost.Answer {
    if host == nil {
      do {
        host = try PluginHost(configuration)
      } catch {
        return .failed("HookHostMissing", "its child could not be started: \(error)")
      }
    }
    guard let child = host else { return .failed("HookHostMissing", "its child could not be started") }
    child.call(call)
    var settings: [(name: String, value: String)] = []
    let wait = child.wait(upTo: Self.limit) { event -> Result<HostResult, HostRefusal>? in
      switch event {
      case .setting(_, let name, let value): settings.append((name, value))
      case .log(_, let level, let message, _): log(level, message)
      case .hookFinished(call.token, let result): return .success(result)
      case .refused(let refusal): return .failure(refusal)
      default: break
      }
      return nil
    }
    switch wait {
    case .value(.success(let result)): return PipelineHookHost.Answer(result: result, settings: settings)
    case .value(.failure(let refusal)):
      host = nil
      return .failed("Refused", refusal.message)
    case .timedOut:
      child.kill()
      host = nil
      return .failed("Timeout", "did not end within \(Self.limit.components.seconds) s")
    case .ended(let exit, let malformed):
      host = nil
      return .failed("Crashed", malformed ?? exit.explanation)
    }
  }

  private func log(_ level: HostLogLevel, _ message: String) {
    logger.log(level: Logger.Level(level), "\(message)")
  }
}

extension HostHook {
  /// As authors know it.
  var name: String {
    switch self {
    case .initialize: "initialize"
    case .started: "on_started"
    case .finished: "on_finished"
    case .finishedJob: "handle_finished_job"
    }
  }
}

extension PipelineHooks {
  /// Hooks that reach a plugin's pipeline; one that fails is logged and stops nothing.
  static func calling(_ host: PipelineHookHost, pipeline: String, logger: Logger) -> PipelineHooks {
    @Sendable func call(_ hook: HostHook) {
      let result = host.call(hook).result
      guard result.status != .ok, result.status != .unsupported else { return }
      logger.warning("\(hook.name) of pipeline \(pipeline) failed: \(result.error?.description ?? "\(result.status)")")
    }
    var hooks = PipelineHooks()
    hooks.started = { call(.started) }
    hooks.stopped = {
      call(.finished)
      host.stop()
    }
    hooks.jobFinished = { job in
      // The store holds what was checked when it came in; a text that is damaged now is handed over as it is.
      let json = (try? CompressedJSON.json(in: job.instructions)) ?? job.instructions
      call(.finishedJob(jobID: job.id.text, pipeline: pipeline, state: job.state.description, instructions: json))
    }
    return hooks
  }
}
