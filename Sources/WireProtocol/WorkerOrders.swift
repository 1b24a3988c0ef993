public import PipelineModel

/// A coordinator's first message to a worker that announced itself.
public struct Welcome: Hashable, Sendable {
  public var worker: WorkerID
  /// Names this run of the coordinator; another one after a restart.
  public var coordinator: String
  public var pipeline: String
  /// Where results go. A wildcard host stands for the host the worker connected to.
  public var resultsAddress: String
  /// What a job's instructions may grow to by the results of its phases.
  public var maximumInstructionsBytes: Int

  public init(
    worker: WorkerID, coordinator: String, pipeline: String, resultsAddress: String, maximumInstructionsBytes: Int
  ) {
    self.worker = worker
    self.coordinator = coordinator
    self.pipeline = pipeline
    self.resultsAddress = resultsAddress
    self.maximumInstructionsBytes = maximumInstructionsBytes
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.welcome)
    writer.put(worker.text)
    writer.put(coordinator)
    writer.put(pipeline)
    writer.put(resultsAddress)
    writer.put(maximumInstructionsBytes)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    coordinator = try reader.text(atMost: 128)
    pipeline = try reader.roleName()
    resultsAddress = try reader.text()
    maximumInstructionsBytes = try reader.count(atMost: 1 << 30)
    try reader.finish()
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

  public init(worker: WorkerID, pipeline: String, jobs: [JobOrder]) {
    self.worker = worker
    self.pipeline = pipeline
    self.jobs = jobs
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
    try reader.finish()
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
    tokens = try reader.tokens(atMost: Announcement.maximumInFlight)
    try reader.finish()
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
    try reader.finish()
  }
}
