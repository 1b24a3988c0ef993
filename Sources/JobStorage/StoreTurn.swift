public import PipelineModel

/// Everything one turn of the event loop wants written and claimed, done in one round trip or one transaction.
///
/// Phases that the pipeline does not have are refused as `.misconfigured` before anything is written.
///
/// The order of work is fixed: owner check, settlements, enqueues, promotion of delayed jobs that are due, claims, metrics.
/// So a claim can return a job that the same turn brought into that phase. Settlements are done in their order, but that
/// jobs that go to the front of a queue go there after all others, and stand there in the order of the settlements.
public struct StoreTurn: Sendable {
  /// The wall clock's time: what is recorded.
  public var now: Timestamp
  public var settlements: [Settlement] = []
  public var enqueues: [NewJob] = []
  /// Moves up to this many delayed jobs whose time has come into their queues. Zero: does not look.
  public var promotionLimit = 0
  /// Jobs due by this moment are moved, and new ones and those to be retried are not delayed. Apart from `now`, since it must not jump where somebody sets the wall clock.
  public var promotionTime: Timestamp
  public var claims: [Claim] = []
  public var metrics: [PhaseMetrics] = []

  public init(now: Timestamp) {
    self.now = now
    promotionTime = now
  }

  public var isEmpty: Bool {
    settlements.isEmpty && enqueues.isEmpty && promotionLimit == 0 && claims.isEmpty && metrics.isEmpty
  }

  /// How many jobs and metrics it may touch: a measure of the work it is.
  public var itemCount: Int {
    settlements.count + enqueues.count + metrics.count + promotionLimit + claims.reduce(0) { $0 + $1.limit }
  }
}

/// A job to be stored in the queue of the first phase.
public struct NewJob: Hashable, Sendable {
  public var id: JobID
  /// Larger goes first within a phase; equal ones go in the order they came. -8 to 7.
  public var priority: Int
  /// Nil: at once.
  public var notBefore: Timestamp?
  /// Opaque to the store: JSON text, or the zlib stream of one.
  public var instructions: [UInt8]

  public static let priorities = -8...7

  public init(id: JobID, priority: Int = 0, notBefore: Timestamp? = nil, instructions: [UInt8]) {
    self.id = id
    self.priority = min(max(priority, Self.priorities.lowerBound), Self.priorities.upperBound)
    self.notBefore = notBefore
    self.instructions = instructions
  }
}

/// Asks for up to `limit` jobs of one phase for one worker. The leases it gives have no end of their own.
public struct Claim: Hashable, Sendable {
  public var phase: Int
  public var worker: WorkerID
  public var limit: Int

  public init(phase: Int, worker: WorkerID, limit: Int) {
    self.phase = phase
    self.worker = worker
    self.limit = limit
  }
}
