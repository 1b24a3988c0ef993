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

/// "I am here and can take this much": a worker's heartbeat, published each second and whenever a coordinator
/// subscribes anew.
public struct Announcement: Hashable, Sendable {
  /// The most jobs one worker may hold; bounds what a header can make a coordinator keep.
  public static let maximumInFlight = 4_096
  public static let maximumReasonBytes = 512

  public var worker: WorkerID
  /// Where the worker's PULL socket can be reached.
  public var pullAddress: String
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
  /// Every lease the worker holds: being run, waiting, or finished without an acknowledgement yet.
  public var inFlight: [LeaseToken]
  /// Why it runs nothing, or less than it was started for; one line for people, empty where all is well.
  public var reason: String

  public init(
    worker: WorkerID, pullAddress: String, jobType: String, host: String, processID: Int, concurrency: Int,
    state: WorkerState, succeeded: Int, failed: Int, plugin: String, pluginFile: String, inFlight: [LeaseToken],
    reason: String = ""
  ) {
    self.worker = worker
    self.pullAddress = pullAddress
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
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.announcement, reserving: 160 + 4 * inFlight.count)
    writer.put(worker.text)
    writer.put(pullAddress)
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
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    pullAddress = try reader.text()
    if let problem = addressProblem(pullAddress, binding: false) { throw WireError(problem) }
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
    try reader.finish()
  }
}

/// How far an attempt has come.
public struct ProgressReport: Hashable, Sendable {
  public var worker: WorkerID
  public var job: JobID
  public var token: LeaseToken
  /// 0…1.
  public var fraction: Double
  public var note: String

  public init(worker: WorkerID, job: JobID, token: LeaseToken, fraction: Double, note: String) {
    self.worker = worker
    self.job = job
    self.token = token
    self.fraction = fraction
    self.note = note
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.progress)
    writer.put(worker.text)
    writer.put(job.text)
    writer.put(token.number)
    writer.put(fraction)
    writer.put(note)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    job = try reader.jobID()
    token = LeaseToken(try reader.number())
    fraction = try reader.double()
    guard fraction >= 0, fraction <= 1 else { throw WireError("a progress of \(fraction)") }
    note = try reader.text(atMost: 1024)
    try reader.finish()
  }
}

/// A line that a phase wrote to its log.
public struct LogLine: Hashable, Sendable {
  public enum Level: UInt8, Sendable { case debug, info, warning, error }

  public static let maximumBytes = 4096

  public var worker: WorkerID
  /// Nil for what the plugin says outside of any job.
  public var job: JobID?
  public var level: Level
  public var text: String

  public init(worker: WorkerID, job: JobID?, level: Level, text: String) {
    self.worker = worker
    self.job = job
    self.level = level
    self.text = text
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.log)
    writer.put(worker.text)
    writer.put(job?.text ?? "")
    writer.put(byte: level.rawValue)
    writer.put(truncated(text, toBytes: Self.maximumBytes))
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    job = try reader.optionalJobID()
    guard let level = Level(rawValue: try reader.byte()) else { throw WireError("an unknown log level") }
    self.level = level
    text = try reader.text(atMost: Self.maximumBytes)
    try reader.finish()
  }
}

/// "I am leaving": what the worker still holds comes back, now rather than after missed heartbeats.
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
    try reader.finish()
  }
}

/// `text` cut at a character's boundary to at most `limit` bytes of UTF-8.
public func truncated(_ text: String, toBytes limit: Int) -> String {
  guard text.utf8.count > limit else { return text }
  var end = text.utf8.index(text.startIndex, offsetBy: limit)
  while end > text.startIndex, end.samePosition(in: text) == nil { end = text.utf8.index(before: end) }
  return String(text[..<end])
}
