internal import Logging
internal import PluginCatalog
internal import Synchronization
internal import ZeroMQTransport

/// Serves the phases of all plugins in some folders, and follows what is put there, replaced and removed: one worker for
/// each job type, all in this process. A changed file gets a new worker with new children; the one before it finishes
/// what it runs, gives back what waits, and ends.
///
/// All methods may be called from any thread.
public final class PluginFolderServer: Sendable {
  private let control = WorkerControl()
  private let servers = Mutex<[PhaseServer]>([])
  private let thread = Mutex<LoopThread?>(nil)
  private let folders: [String]
  private let jobTypes: Set<String>?
  private let settings: PhaseServerSettings

  /// - Parameters:
  ///   - folders: in the order in which their files win where several have the same job type.
  ///   - jobTypes: what to serve; nil: all there is. What is not there yet is waited for.
  ///   - settings: for each worker; `library`, `jobType`, `workerID` are set by this server.
  public init(folders: [String], jobTypes: Set<String>?, settings: PhaseServerSettings) {
    self.folders = folders
    self.jobTypes = jobTypes
    self.settings = settings
  }

  /// Looks at the folders and serves. Once.
  public func start() {
    thread.withLock { thread in
      guard thread == nil else { return }
      thread = LoopThread(name: "carbontube-plugins") { [self] in run() }
    }
  }

  /// As `PhaseServer.drain`, for all workers.
  public func drain() {
    control.ask(.drain)
    for server in servers.withLock({ $0 }) { server.drain() }
  }

  /// As `PhaseServer.stop`, for all workers.
  public func stop() {
    control.ask(.stop)
    for server in servers.withLock({ $0 }) { server.stop() }
  }

  /// Returns when all workers have ended. Blocks: not for a thread of Swift's cooperative pool.
  public func waitUntilStopped() {
    let thread = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    thread?.join()
  }

  /// Those that are not ended yet.
  var workerCount: Int { servers.withLock { $0.count } }

  // MARK: - The thread that looks

  /// Where changes are not told of, they are found after this long.
  private static let lookEveryMilliseconds = 2_000

  private func run() {
    let watch = FolderWatch(folders)
    let poller = Poller()
    poller.add(fileDescriptor: control.wake.fileDescriptor, as: 0)
    if watch.fileDescriptor >= 0 { poller.add(fileDescriptor: watch.fileDescriptor, as: 1) }
    var state = State()
    while control.wish == .serve {
      control.wake.clear()
      watch.clear()
      dismissEnded(&state)
      if state.isDrained { break }
      look(&state)
      poller.wait(timeoutMilliseconds: Self.lookEveryMilliseconds)
    }
    // A worker that was begun while the wish was uttered has not heard of it.
    let all = servers.withLock { $0 }
    for server in all { if control.wish == .stop { server.stop() } else { server.drain() } }
    for server in all { server.waitUntilStopped() }
  }

  private struct Serving {
    var build: ServingPlan.Build
    var server: PhaseServer
  }

  private struct State {
    var serving: [String: Serving] = [:]
    /// Job types that a coordinator had drained: they are not served again, whatever happens to their files.
    var drained: Set<String> = []
    var remarks: [String] = []

    var isDrained: Bool { serving.isEmpty && !drained.isEmpty }
  }

  /// Lets go of workers that have ended: those that were replaced, and those that a coordinator drained.
  private func dismissEnded(_ state: inout State) {
    let ended = servers.withLock { servers in
      let ended = servers.filter(\.hasEnded)
      servers.removeAll(where: \.hasEnded)
      return ended
    }
    for server in ended {
      server.waitUntilStopped()
      guard let jobType = state.serving.first(where: { $0.value.server === server })?.key else { continue }
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
      state.serving.removeValue(forKey: jobType)?.server.drain()
    }
    for (jobType, build) in plan.builds.sorted(by: { $0.key < $1.key })
    where state.serving[jobType]?.build != build && !state.drained.contains(jobType) {
      replace(&state.serving[jobType], jobType, by: build)
    }
  }

  /// The new one first, so that the phase is never without a worker.
  private func replace(_ place: inout Serving?, _ jobType: String, by build: ServingPlan.Build) {
    do throws(PhaseServerError) {
      var settings = settings
      settings.library = build.file
      settings.jobType = jobType
      settings.workerID = nil
      let server = try PhaseServer(
        settings, staged: build.staged, whenEnded: { [wake = control.wake] in wake.signal() })
      servers.withLock { $0.append(server) }
      server.start()
      settings.logger.notice(
        "\(jobType): \(place == nil ? "serving" : "changed, now serving") \(build.file) \(build.staged.sha256.prefix(12))"
      )
      place?.server.drain()
      place = Serving(build: build, server: server)
    } catch {
      settings.logger.error("\(jobType): \(build.file) cannot be served: \(error)")
    }
  }
}
