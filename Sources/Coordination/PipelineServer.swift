internal import Dispatch
public import JobStorage
internal import Logging
public import PipelineModel
internal import Synchronization
internal import ZeroMQTransport

/// A coordinator: runs one pipeline on one store, in a thread of its own.
///
///     let server = try PipelineServer(pipeline: definition, storage: store)
///     server.start()
///     …
///     server.stop()
///
/// All methods may be called from any thread, but not from a hook.
public final class PipelineServer: Sendable {
  public let pipeline: PipelineDefinition
  /// As bound: with the port that was found where the setting left it open.
  public let eventsAddress: String
  public let intakeAddress: String
  private let wake = WakeUp()
  private let hooks: HookQueue
  private let stopRequested = Atomic(false)
  /// Left when the loop, and the hooks after it, have ended.
  private let running = DispatchGroup()
  private let shared = Mutex(Shared())

  private struct Shared {
    var coordinator: SentCoordinator?
    var thread: LoopThread?
    var ended: Result<Void, PipelineServerError>?
  }

  /// How long stopping waits for hooks that were called before, in seconds.
  private static let hookPatience = 10

  /// Binds the sockets; nothing else happens before `start`.
  ///
  /// - Parameters:
  ///   - storage: belongs to the server from now on; not opened yet.
  ///   - settings: addresses, limits, hooks.
  /// - Throws: `PipelineServerError` where an address cannot be used.
  public init(
    pipeline: PipelineDefinition, storage: sending any JobStore,
    settings: PipelineServerSettings = PipelineServerSettings()
  ) throws(PipelineServerError) {
    self.pipeline = pipeline
    hooks = HookQueue(settings.hooks)
    do throws(TransportError) {
      let coordinator = try Coordinator(
        pipeline: pipeline, store: storage, settings: settings, wake: wake, hooks: hooks)
      eventsAddress = coordinator.connections.meetingAddress
      intakeAddress = coordinator.connections.intakeAddress
      shared.withLock { $0.coordinator = SentCoordinator(coordinator: coordinator) }
    } catch {
      throw PipelineServerError(kind: .address, message: error.message)
    }
  }

  /// A pipeline of phases with the default settings, in the words of an embedding program.
  public convenience init(
    name: String, phases: [String], concurrency: Int? = nil, storage: sending any JobStore,
    settings: PipelineServerSettings = PipelineServerSettings()
  ) throws {
    var settings = settings
    settings.concurrency = concurrency
    let definition = try PipelineDefinition(name: name, phases: phases.map { PhaseDefinition(jobType: $0) })
    try self.init(pipeline: definition, storage: storage, settings: settings)
  }

  /// Starts the event loop. Once. Where the machine has no thread left for it, `waitUntilStopped` says so.
  public func start() {
    let sent = shared.withLock { shared in
      defer { shared.coordinator = nil }
      return shared.coordinator
    }
    guard let sent else { return }
    running.enter()
    do throws(TransportError) {
      let thread = try LoopThread(starting: "carbontube-coordinator") { [self] in run(sent.coordinator) }
      shared.withLock { $0.thread = thread }
    } catch {
      let failure = PipelineServerError(kind: .unavailable, message: error.message)
      shared.withLock { $0.ended = .failure(failure) }
      running.leave()
    }
  }

  private func run(_ coordinator: Coordinator) {
    coordinator.shouldStop = { [self] in stopRequested.load(ordering: .relaxed) }
    coordinator.run()
    let failure = coordinator.failure
    let ended: Result<Void, PipelineServerError> =
      failure.map { .failure(PipelineServerError(store: $0)) } ?? .success(())
    shared.withLock { $0.ended = ended }
    hooks.call { $0.stopped?() }
    let dropped = hooks.close(within: Self.hookPatience)
    if dropped > 0 {
      coordinator.logger.warning(
        "\(dropped) calls of hooks were dropped: they had not ended within \(Self.hookPatience) s")
    }
    running.leave()
  }

  /// Why the loop has ended by itself; nil while it goes on, and after `stop`.
  public var failure: PipelineServerError? {
    guard case .failure(let error) = shared.withLock(\.ended) else { return nil }
    return error
  }

  /// Writes what is pending, answers whoever waits, closes the store, and returns when all is done. Workers keep what
  /// they have and report it to the next coordinator on the same store.
  @available(*, noasync, message: "blocks; in a task write: await stop()")
  public func stop() {
    requestStop()
    try? ended()
  }

  /// See the other form; blocks no thread.
  public func stop() async {
    requestStop()
    try? await waitUntilStopped()
  }

  /// Asks the loop to stop and returns at once; `waitUntilStopped` tells when it has.
  public func requestStop() {
    stopRequested.store(true, ordering: .relaxed)
    wake.signal()
  }

  /// For whoever asked to stop and cannot wait: hooks that have not been called yet are dropped. Returns at once.
  public func hurry() {
    requestStop()
    hooks.hurry()
  }

  /// Returns when the loop has ended, by `stop` or because the store can never be used; any number of threads may wait.
  @available(*, noasync, message: "blocks; in a task write: try await waitUntilStopped()")
  public func waitUntilStopped() throws { try ended() }

  /// See the other form; blocks no thread.
  public func waitUntilStopped() async throws {
    await withCheckedContinuation { over in running.notify(queue: .global()) { over.resume() } }
    // What is left to wait for is the end of a thread that has done its work.
    try ended()
  }

  private func ended() throws {
    running.wait()
    let thread = shared.withLock { shared in
      defer { shared.thread = nil }
      return shared.thread
    }
    thread?.join()
    try shared.withLock(\.ended)?.get()
  }
}

/// Handed to the loop's thread once, before it runs; never touched by two threads.
private struct SentCoordinator: @unchecked Sendable {
  let coordinator: Coordinator
}

/// Why a coordinator could not start or go on.
public struct PipelineServerError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// An address is malformed or taken.
    case address
    /// The store is away, or owned by another coordinator.
    case unavailable
    /// The store's address, credentials, schema or contents are wrong for this pipeline.
    case configuration
  }

  public let kind: Kind
  /// One line for people.
  public let message: String
  public var description: String { message }

  public init(kind: Kind, message: String) {
    self.kind = kind
    self.message = message
  }

  init(store error: StoreError) {
    message = error.message
    switch error.kind {
    case .unavailable, .refusesWrites, .ownedByAnother: kind = .unavailable
    case .newerSchema, .definitionChanged, .misconfigured, .corrupt, .badCursor: kind = .configuration
    }
  }
}
