public import PipelineModel

/// A coordinator's answer to the first hello of a worker on a connection.
public struct Welcome: Hashable, Sendable {
  public var worker: WorkerID
  /// Names this run of the coordinator; another one after a restart.
  public var coordinator: String
  public var pipeline: String
  /// What a job's instructions may grow to by the results of its phases.
  public var maximumInstructionsBytes: Int
  /// As `Hello.minorVersion`.
  public var minorVersion = Hello.minorVersion

  public init(worker: WorkerID, coordinator: String, pipeline: String, maximumInstructionsBytes: Int) {
    self.worker = worker
    self.coordinator = coordinator
    self.pipeline = pipeline
    self.maximumInstructionsBytes = maximumInstructionsBytes
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.welcome)
    writer.put(worker.text)
    writer.put(coordinator)
    writer.put(minorVersion)
    writer.put(pipeline)
    writer.put(maximumInstructionsBytes)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    coordinator = try reader.text(atMost: 128)
    minorVersion = try reader.count(atMost: .max)
    pipeline = try reader.roleName()
    maximumInstructionsBytes = try reader.count(atMost: 1 << 30)
  }
}

/// A coordinator gives this worker no jobs, as long as the connection lasts or until it is welcomed after another hello.
public struct WorkerRefusal: Hashable, Sendable {
  public enum Reason: UInt8, Sendable {
    /// The pipeline has no phase of its job type.
    case noSuchPhase = 1
    /// Another worker has its id, and is there.
    case idTaken = 2
    /// A reason that this version does not know.
    case other = 255
  }

  public var worker: WorkerID
  public var reason: Reason
  /// One line for people.
  public var message: String

  public init(worker: WorkerID, reason: Reason, message: String) {
    self.worker = worker
    self.reason = reason
    self.message = message
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.refused)
    writer.put(worker.text)
    writer.put(byte: reason.rawValue)
    writer.put(truncated(message, toBytes: 1_024))
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    reason = Reason(rawValue: try reader.byte()) ?? .other
    message = try reader.text()
  }
}

/// "I am here, and this much waits": a coordinator's heartbeat to a worker, sent as well when there begins or ceases to be
/// work for one that is shared, and when a credit of it takes effect.
public struct Demand: Hashable, Sendable {
  public var worker: WorkerID
  /// Jobs of its type that nobody has been given yet.
  public var waiting: Int
  /// Of the latest credit that counts: what is sent after this message keeps to it.
  public var credit: UInt64

  public init(worker: WorkerID, waiting: Int, credit: UInt64) {
    self.worker = worker
    self.waiting = waiting
    self.credit = credit
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.demand)
    writer.put(worker.text)
    writer.put(waiting)
    writer.put(credit)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    waiting = try reader.count(atMost: .max)
    credit = try reader.number()
  }
}

/// One job for a worker; its instructions are in the payload frame of the same position.
public struct JobOrder: Hashable, Sendable {
  public var job: JobID
  public var token: LeaseToken
  /// 1-based count of the times the job was given out in this phase.
  public var attempt: Int
  /// The hard limit on the attempt; zero: none.
  public var timeoutMilliseconds: Int64
  /// It was lost with a worker before: the worker says that it begins, and is answered, before a child gets it, so that
  /// only a job that had begun is counted as lost. `BeganReport`.
  public var isSuspect: Bool

  public init(
    job: JobID, token: LeaseToken, attempt: Int, timeoutMilliseconds: Int64, isSuspect: Bool = false
  ) {
    self.job = job
    self.token = token
    self.attempt = attempt
    self.timeoutMilliseconds = timeoutMilliseconds
    self.isSuspect = isSuspect
  }
}

/// Jobs for one worker. As many payload frames follow the header.
public struct JobOrders: Hashable, Sendable {
  public static let maximumJobs = 1_000

  public var worker: WorkerID
  public var pipeline: String
  public var jobs: [JobOrder]
  /// Of the credit under which they are sent.
  public var credit: UInt64

  public init(worker: WorkerID, pipeline: String, jobs: [JobOrder], credit: UInt64) {
    self.worker = worker
    self.pipeline = pipeline
    self.jobs = jobs
    self.credit = credit
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.jobs, reserving: 64 + 32 * jobs.count)
    writer.put(worker.text)
    writer.put(pipeline)
    writer.put(jobs.count)
    for job in jobs {
      writer.put(job.job.text)
      writer.put(job.token.number)
      writer.put(job.attempt)
      writer.put(Int(clamping: job.timeoutMilliseconds))
      writer.put(byte: job.isSuspect ? 1 : 0)
    }
    writer.put(credit)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    pipeline = try reader.roleName()
    let count = try reader.count(atMost: Self.maximumJobs)
    jobs = []
    jobs.reserveCapacity(count)
    for _ in 0..<count {
      jobs.append(
        JobOrder(
          job: try reader.jobID(), token: LeaseToken(try reader.number()),
          attempt: try reader.count(atMost: Int(UInt32.max)),
          timeoutMilliseconds: Int64(try reader.count(atMost: Int.max)), isSuspect: try reader.flag()))
    }
    credit = try reader.number()
  }
}

/// An order about leases the worker holds: stop running them (`cancel`), or give back those that have not begun
/// (`recall`).
public struct LeaseOrder: Hashable, Sendable {
  public var worker: WorkerID
  public var tokens: [LeaseToken]

  public init(worker: WorkerID, tokens: [LeaseToken]) {
    self.worker = worker
    self.tokens = tokens
  }

  /// - Parameter kind: `.cancel` or `.recall`.
  public func encoded(as kind: MessageKind) -> [UInt8] {
    var writer = HeaderWriter(kind)
    writer.put(worker.text)
    writer.put(tokens)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    tokens = try reader.tokens(atMost: Hello.maximumInFlight)
  }
}

/// Asks a worker to finish what it has, take nothing new, and end.
public struct DrainOrder: Hashable, Sendable {
  public var worker: WorkerID

  public init(worker: WorkerID) { self.worker = worker }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.drain)
    writer.put(worker.text)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
  }
}

/// Has a worker run its build again where that is in quarantine on its machine.
public struct ReleaseOrder: Hashable, Sendable {
  public var worker: WorkerID
  /// First 12 hexadecimal digits of the build's SHA-256: a worker of another build passes this over.
  public var plugin: String

  public init(worker: WorkerID, plugin: String) {
    self.worker = worker
    self.plugin = plugin
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.release)
    writer.put(worker.text)
    writer.put(plugin)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    plugin = try reader.text(atMost: 64)
  }
}
