public import PipelineModel

/// What a worker is doing, as a whole.
public enum WorkerState: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  /// Takes jobs.
  case serving = 1
  /// Takes no new ones and finishes what it has; then it ends.
  case draining = 2
  /// Cannot run anything at the moment, e.g. its PluginHost children do not start.
  case impaired = 3
  /// Its first PluginHost children are not ready yet.
  case starting = 4

  public var description: String {
    switch self {
    case .serving: "serving"
    case .draining: "draining"
    case .impaired: "impaired"
    case .starting: "starting"
    }
  }
}

/// How many jobs of one coordinator may be at a worker at a time. A worker lends its slots to all its coordinators and says
/// anew to each what it may have, so the numbers change; the latest counts.
public struct JobCredit: Hashable, Sendable {
  /// Rises with each credit that the worker tells this coordinator, from 1 on: an older one that comes late is passed over.
  public var number: UInt64
  /// 0 to `Hello.maximumInFlight`.
  public var jobs: Int

  public init(number: UInt64, jobs: Int) {
    self.number = number
    self.jobs = jobs
  }
}

extension HeaderWriter {
  mutating func put(_ credit: JobCredit) {
    put(credit.number)
    put(credit.jobs)
  }
}

extension HeaderReader {
  mutating func credit() throws(WireError) -> JobCredit {
    JobCredit(number: try number(), jobs: try count(atMost: Hello.maximumInFlight))
  }
}

/// "I am here and can take this much": a worker's first message on every connection, said again each second and whenever
/// something of it changes.
public struct Hello: Hashable, Sendable {
  /// The most jobs one worker may hold; bounds what a header can make a coordinator keep.
  public static let maximumInFlight = 4_096
  public static let maximumReasonBytes = 512
  /// Rises when a message gets a field that others may want to know of. Readers pass over what they do not know.
  public static let minorVersion = 1

  public var worker: WorkerID
  /// Made at random when the worker begins: tells one that connects again from another with the same id.
  public var instance: UInt64
  public var jobType: String
  public var host: String
  public var processID: Int
  /// Jobs it can run at a time now: slots that have a ready child, or had one a moment ago and get another. At least 1;
  /// `state` tells where there is none.
  public var concurrency: Int
  public var state: WorkerState
  /// Attempts since the worker began.
  public var succeeded: Int
  public var failed: Int
  /// First 12 hexadecimal digits of the plugin file's SHA-256.
  public var plugin: String
  /// The plugin file's name without its folder.
  public var pluginFile: String
  /// Every lease of this coordinator that the worker holds: being run, waiting, or finished without an acknowledgement yet.
  public var inFlight: [LeaseToken]
  /// Why it runs nothing, or less than it was started for; one line for people, empty where all is well.
  public var reason: String
  /// It serves other coordinators as well, and wants to hear at once how much waits for it.
  public var isShared: Bool
  public var credit: JobCredit
  public var minorVersion = Self.minorVersion

  public init(
    worker: WorkerID, instance: UInt64, jobType: String, host: String, processID: Int, concurrency: Int,
    state: WorkerState, succeeded: Int, failed: Int, plugin: String, pluginFile: String, inFlight: [LeaseToken],
    reason: String = "", isShared: Bool = false, credit: JobCredit
  ) {
    self.worker = worker
    self.instance = instance
    self.jobType = jobType
    self.host = host
    self.processID = processID
    self.concurrency = concurrency
    self.state = state
    self.succeeded = succeeded
    self.failed = failed
    self.plugin = plugin
    self.pluginFile = pluginFile
    self.inFlight = inFlight
    self.reason = reason
    self.isShared = isShared
    self.credit = credit
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.hello, reserving: 160 + 4 * inFlight.count)
    writer.put(worker.text)
    writer.put(instance)
    writer.put(minorVersion)
    writer.put(jobType)
    writer.put(host)
    writer.put(processID)
    writer.put(concurrency)
    writer.put(byte: state.rawValue)
    writer.put(succeeded)
    writer.put(failed)
    writer.put(plugin)
    writer.put(pluginFile)
    writer.put(inFlight)
    writer.put(truncated(reason, toBytes: Self.maximumReasonBytes))
    writer.put(byte: isShared ? 1 : 0)
    writer.put(credit)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    instance = try reader.number()
    minorVersion = try reader.count(atMost: .max)
    jobType = try reader.roleName()
    host = try reader.text(atMost: 255)
    processID = try reader.count(atMost: Int(Int32.max))
    concurrency = try reader.count(atMost: Self.maximumInFlight / 2)
    guard concurrency > 0 else { throw WireError("a worker of concurrency 0") }
    guard let state = WorkerState(rawValue: try reader.byte()) else { throw WireError("an unknown worker state") }
    self.state = state
    succeeded = try reader.count(atMost: .max)
    failed = try reader.count(atMost: .max)
    plugin = try reader.text(atMost: 64)
    pluginFile = try reader.text(atMost: 255)
    inFlight = try reader.tokens(atMost: Self.maximumInFlight)
    reason = try reader.text(atMost: Self.maximumReasonBytes)
    isShared = try reader.flag()
    credit = try reader.credit()
  }
}

/// A credit by itself, between two hellos.
public struct CreditMessage: Hashable, Sendable {
  public var worker: WorkerID
  public var credit: JobCredit

  public init(worker: WorkerID, credit: JobCredit) {
    self.worker = worker
    self.credit = credit
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.credit)
    writer.put(worker.text)
    writer.put(credit)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    credit = try reader.credit()
  }
}

/// "I am leaving": what the worker still holds comes back, now rather than once its connection has ended.
public struct Goodbye: Hashable, Sendable {
  public var worker: WorkerID
  public var reason: String

  public init(worker: WorkerID, reason: String) {
    self.worker = worker
    self.reason = reason
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.goodbye)
    writer.put(worker.text)
    writer.put(reason)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    reason = try reader.text()
  }
}
