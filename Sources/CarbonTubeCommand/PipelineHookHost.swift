internal import CarbonTube
internal import Dispatch
internal import HostProtocol
internal import HostSupervision
internal import Logging
internal import PluginCatalog
internal import Synchronization
internal import ZeroMQTransport

/// Calls the hooks that a plugin's author wrote for a pipeline, in a child of its own: whatever they do, the
/// coordinator goes on.
///
/// `call` blocks until the hook has ended. Any thread; calls run one after the other.
final class PipelineHookHost: Sendable {
  /// How long one hook may take before its child is killed.
  static let limit = Duration.seconds(60)

  private let configuration: PluginHostConfiguration
  private let lease: StagedPluginLease
  private let logger: Logger
  private let requests = Mutex<[Request]>([])
  private let pending = DispatchSemaphore(value: 0)

  struct Answer: Sendable {
    var result: HostResult
    /// What `initialize` chose.
    var settings: [(name: String, value: String)] = []
  }

  private struct Request: Sendable {
    var hook: HostHook?
    var answer: @Sendable (Answer) -> Void
  }

  init(library: String, pipeline: String, environment: EnvironmentOptions.Given, logger: Logger) {
    configuration = PluginHostConfiguration(
      library: library, role: .pipeline(name: pipeline), environment: environment.variables,
      secrets: SecretValues(environment.secrets))
    lease = StagedPluginLease(path: library)
    self.logger = logger
    // A child dies with the thread that spawned it, so one thread does all and lasts as long as this object.
    _ = LoopThread(name: "carbontube-hooks") { [self] in serve() }
  }

  func call(_ hook: HostHook) -> Answer {
    let done = DispatchSemaphore(value: 0)
    let answered = Mutex<Answer?>(nil)
    submit(
      Request(hook: hook) { answer in
        answered.withLock { $0 = answer }
        done.signal()
      })
    done.wait()
    return answered.withLock { $0 } ?? Self.failed("HookLost", "the hook did not answer")
  }

  /// Ends the child and the thread.
  func stop() {
    let done = DispatchSemaphore(value: 0)
    submit(Request(hook: nil) { _ in done.signal() })
    // A hook that is still at work ends with this process.
    _ = done.wait(timeout: .now() + .seconds(1))
  }

  private func submit(_ request: Request) {
    requests.withLock { $0.append(request) }
    pending.signal()
  }

  private func serve() {
    var host: PluginHost?
    var unwritten: Set<String> = []
    var token: UInt64 = 0
    while true {
      pending.wait()
      let request = requests.withLock { $0.removeFirst() }
      guard let hook = request.hook else {
        host = nil
        return request.answer(Answer(result: HostResult(status: .ok)))
      }
      guard !unwritten.contains(hook.name) else {
        request.answer(Answer(result: HostResult(status: .unsupported)))
        continue
      }
      token += 1
      let answer = call(HostHookCall(token: token, hook: hook), in: &host)
      if answer.result.status == .unsupported { unwritten.insert(hook.name) }
      request.answer(answer)
    }
  }

  /// Starts the child where there is none: the first time, and after one that crashed or was killed.
  private func call(_ call: HostHookCall, in host: inout PluginHost?) -> Answer {
    if host == nil {
      do {
        host = try PluginHost(configuration)
      } catch {
        return Self.failed("HookHostMissing", "its child could not be started: \(error)")
      }
    }
    guard let child = host else { return Self.failed("HookHostMissing", "its child could not be started") }
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
    case .value(.success(let result)): return Answer(result: result, settings: settings)
    case .value(.failure(let refusal)):
      host = nil
      return Self.failed("Refused", refusal.message)
    case .timedOut:
      child.kill()
      host = nil
      return Self.failed("Timeout", "did not end within \(Self.limit.components.seconds) s")
    case .ended(let exit, let malformed):
      host = nil
      return Self.failed("Crashed", malformed ?? exit.explanation)
    }
  }

  private func log(_ level: HostLogLevel, _ message: String) {
    switch level {
    case .debug: logger.debug("\(message)")
    case .info: logger.info("\(message)")
    case .warning: logger.warning("\(message)")
    case .error: logger.error("\(message)")
    }
  }

  private static func failed(_ type: String, _ message: String) -> Answer {
    Answer(result: HostResult(status: .failed, error: HostError(message: message, type: type)))
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
    hooks.stopped = { call(.finished) }
    hooks.jobFinished = { job in
      // The store holds what was checked when it came in; a text that is damaged now is handed over as it is.
      let json = (try? CompressedJSON.json(in: job.instructions)) ?? job.instructions
      call(.finishedJob(jobID: job.id.text, pipeline: pipeline, state: job.state.description, instructions: json))
    }
    return hooks
  }
}
