internal import Logging
internal import PluginCatalog
internal import Synchronization
internal import ZeroMQTransport

/// Serves the phases of all plugins in some folders, and follows what is put there, replaced and removed: a service for each
/// job type, all on one loop with one connection to each coordinator. A changed file gets a new service with new children;
/// the one before it finishes what it runs, gives back what waits, and ends.
///
/// All methods may be called from any thread.
public final class PluginFolderServer: Sendable {
  /// Of the thread that looks; what services are asked for goes to their own.
  private let control = ServiceControl(wake: WakeUp())
  private let mailbox = LoopMailbox()
  private let services = Mutex<[ServiceControl]>([])
  private let shared: Mutex<Shared>
  private let folders: [String]
  private let jobTypes: Set<String>?
  private let settings: PhaseServerSettings

  private struct Shared {
    /// Until it is started.
    var loop: SentLoop?
    var thread: LoopThread?
  }

  /// - Parameters:
  ///   - folders: in the order in which their files win where several have the same job type.
  ///   - jobTypes: what to serve; nil: all there is. What is not there yet is waited for.
  ///   - settings: for each service; `library` and `jobType` are set by this server. `workerID` is what the ids of all of them
  ///     begin with.
  /// - Throws: where an address cannot be used.
  public init(folders: [String], jobTypes: Set<String>?, settings: PhaseServerSettings) throws(PhaseServerError) {
    self.folders = folders
    self.jobTypes = jobTypes
    self.settings = settings
    let loop = try WorkerLoop(settings, mailbox)
    shared = Mutex(Shared(loop: SentLoop(loop: loop)))
  }

  /// Looks at the folders and serves. Once.
  public func start() {
    shared.withLock { shared in
      guard shared.thread == nil, let sent = shared.loop else { return }
      shared.loop = nil
      shared.thread = LoopThread(name: "carbontube-plugins") { [self] in
        let thread = LoopThread(name: "carbontube-worker") { sent.loop.run() }
        follow()
        mailbox.close()
        thread.join()
      }
    }
  }

  /// As `PhaseServer.drain`, for all phases.
  public func drain() { ask(.drain) }

  /// As `PhaseServer.stop`, for all phases.
  public func stop() { ask(.stop) }

  private func ask(_ state: ServiceControl.DesiredState) {
    control.ask(state)
    for service in services.withLock({ $0 }) { service.ask(state) }
  }

  /// Returns when all has ended. Blocks: not for a thread of Swift's cooperative pool.
  public func waitUntilStopped() {
    let thread = shared.withLock { shared in
      defer { shared.thread = nil }
      return shared.thread
    }
    thread?.join()
  }

  /// Those that are not ended yet.
  var serviceCount: Int { services.withLock { $0.count { !$0.hasEnded } } }

  // MARK: - The thread that looks

  /// Where changes are not told of, they are found after this long.
  private static let lookEveryMilliseconds = 2_000

  private func follow() {
    let watch = FolderWatch(folders)
    let poller = Poller()
    poller.add(fileDescriptor: control.wake.fileDescriptor, as: 0)
    if watch.fileDescriptor >= 0 { poller.add(fileDescriptor: watch.fileDescriptor, as: 1) }
    var state = State(name: WorkerName(settings.workerID))
    while control.desired == .serve {
      control.wake.clear()
      watch.clear()
      dismissEnded(&state)
      if state.isDrained { break }
      look(&state)
      poller.wait(timeoutMilliseconds: Self.lookEveryMilliseconds)
    }
    // A service that was begun while the others were asked has not heard of it.
    if control.desired > .serve { ask(control.desired) }
  }

  private struct Serving {
    var build: ServingPlan.Build
    var control: ServiceControl
  }

  private struct State {
    var name: WorkerName
    var serving: [String: Serving] = [:]
    /// Job types that a coordinator had drained: they are not served again, whatever happens to their files.
    var drained: Set<String> = []
    var remarks: [String] = []

    var isDrained: Bool { serving.isEmpty && !drained.isEmpty }
  }

  /// Forgets services that have ended: those that were replaced, and those that a coordinator drained.
  private func dismissEnded(_ state: inout State) {
    let ended = services.withLock { services in
      let ended = services.filter(\.hasEnded)
      services.removeAll(where: \.hasEnded)
      return ended
    }
    for control in ended {
      guard let jobType = state.serving.first(where: { $0.value.control === control })?.key else { continue }
      state.serving[jobType] = nil
      state.drained.insert(jobType)
      settings.logger.notice(
        "\(jobType): was drained\(state.isDrained ? ", the last one here; ending" : " and is not served again")")
    }
  }

  private func look(_ state: inout State) {
    let files = folders.flatMap { PluginFolder.files(in: $0) ?? [] }
    let catalog = PluginCatalog(stateFolder: settings.stateFolder, hostExecutable: settings.hostExecutable)
    let plan = ServingPlan(
      catalog.describe(files: files), jobTypes: jobTypes, settings: settings.phaseSettings,
      serving: state.serving.mapValues(\.build))
    for remark in plan.remarks where !state.remarks.contains(remark) { settings.logger.warning("\(remark)") }
    state.remarks = plan.remarks
    for jobType in state.serving.keys.sorted() where plan.builds[jobType] == nil {
      settings.logger.notice("\(jobType): its plugin is gone; finishing what runs")
      state.serving.removeValue(forKey: jobType)?.control.ask(.drain)
    }
    for (jobType, build) in plan.builds.sorted(by: { $0.key < $1.key })
    where state.serving[jobType]?.build != build && !state.drained.contains(jobType) {
      replace(jobType, by: build, &state)
    }
  }

  /// The new one first, so that the phase is never without a service.
  private func replace(_ jobType: String, by build: ServingPlan.Build, _ state: inout State) {
    let former = state.serving[jobType]
    do throws(PhaseServerError) {
      var settings = settings
      settings.library = build.file
      settings.jobType = jobType
      guard let id = state.name.next(of: jobType) else { throw .unusableName }
      let service = ServiceControl(wake: mailbox.wake) { [wake = control.wake] in wake.signal() }
      mailbox.add(try PhaseService(settings, id: id, staged: build.staged, control: service))
      services.withLock { $0.append(service) }
      settings.logger.notice(
        "\(jobType): \(former == nil ? "serving" : "changed, now serving") \(build.file) \(build.staged.sha256.prefix(12))"
      )
      former?.control.ask(.drain)
      state.serving[jobType] = Serving(build: build, control: service)
    } catch {
      settings.logger.error("\(jobType): \(build.file) cannot be served: \(error)")
    }
  }
}
