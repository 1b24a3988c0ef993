public import JobStorage
internal import Logging
public import PipelineModel
internal import Synchronization
internal import ZeroMQTransport

/// A coordinator: runs one pipeline on one store, in a thread of its own.
///
///     let server = try PipelineServer(pipeline: definition, storage: store)
///     try server.start()
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
  private let shared = Mutex(Shared())

  private struct Shared {
    var coordinator: SentCoordinator?
    var thread: LoopThread?
    var stopRequested = false
    var ended: Result<Void, any Error>?
  }

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
      eventsAddress = coordinator.eventsAddress
      intakeAddress = coordinator.intakeAddress
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

  /// Starts the event loop. Once.
  public func start() {
    shared.withLock { shared in
      guard shared.thread == nil, let sent = shared.coordinator else { return }
      shared.coordinator = nil
      shared.thread = LoopThread(name: "carbontube-coordinator") { [self] in
        let coordinator = sent.coordinator
        coordinator.shouldStop = { [self] in self.shared.withLock(\.stopRequested) }
        coordinator.run()
        let failure = coordinator.failure
        self.shared.withLock { shared in
          shared.ended = failure.map { .failure(PipelineServerError(store: $0)) } ?? .success(())
        }
        hooks.call { $0.stopped?() }
        hooks.drain()
      }
    }
  }

  /// Why the loop has ended by itself; nil while it goes on, and after `stop`.
  public var failure: PipelineServerError? {
    guard case .failure(let error) = shared.withLock(\.ended) else { return nil }
    return error as? PipelineServerError
  }

  /// Writes what is pending, answers whoever waits, closes the store, and returns when all is done. Workers keep what
  /// they have and report it to the next coordinator on the same store.
  public func stop() {
    shared.withLock { $0.stopRequested = true }
    wake.signal()
    try? waitUntilStopped()
  }

  /// Returns when the loop has ended, by `stop` or because the store can never be used. Blocks: not for a thread of
  /// Swift's cooperative pool.
  public func waitUntilStopped() throws {
    let thread = shared.withLock { shared in
      defer { shared.thread = nil }
      return shared.thread
    }
    thread?.join()
    try shared.withLock { try $0.ended?.get() }
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

  init(kind: Kind, message: String) {
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
