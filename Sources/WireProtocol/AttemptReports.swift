public import PipelineModel

/// How one attempt ended, as its worker tells it. Where `hasInstructions` is set, the job's new instructions are in
/// the next payload frame of the message.
public struct AttemptReport: Hashable, Sendable {
  public var job: JobID
  public var token: LeaseToken
  public var outcome: AttemptOutcome
  /// Zero where it never began.
  public var startedAt: Timestamp
  public var durationMicroseconds: Int64
  public var hasInstructions: Bool
  /// Only with `.retryRequested`; zero: the coordinator decides.
  public var retryAfterMilliseconds: Int64
  /// First 12 hexadecimal digits of the SHA-256 of the plugin that ran it.
  public var plugin: String
  /// Present for every outcome but `.succeeded` and `.handedBack`.
  public var error: JobError?

  public init(
    job: JobID, token: LeaseToken, outcome: AttemptOutcome, startedAt: Timestamp, durationMicroseconds: Int64,
    hasInstructions: Bool, retryAfterMilliseconds: Int64 = 0, plugin: String, error: JobError? = nil
  ) {
    self.job = job
    self.token = token
    self.outcome = outcome
    self.startedAt = startedAt
    self.durationMicroseconds = durationMicroseconds
    self.hasInstructions = hasInstructions
    self.retryAfterMilliseconds = retryAfterMilliseconds
    self.plugin = plugin
    self.error = error
  }
}

/// Reports of one worker. Sent again until each of their tokens is acknowledged.
public struct AttemptReports: Hashable, Sendable {
  public static let maximumReports = 1_000
  public static let maximumErrorBytes = 4 << 10
  public static let maximumTailBytes = 16 << 10
  /// What a worker puts into one header at most, in bytes. A coordinator takes 64 KiB beside the largest instructions.
  public static let maximumHeaderBytes = 60 << 10

  public var worker: WorkerID
  public var pipeline: String
  public var reports: [AttemptReport]

  public init(worker: WorkerID, pipeline: String, reports: [AttemptReport]) {
    self.worker = worker
    self.pipeline = pipeline
    self.reports = reports
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.results, reserving: 64 + 48 * reports.count)
    writer.put(worker.text)
    writer.put(pipeline)
    writer.put(reports.count)
    for report in reports { Self.write(report, to: &writer) }
    return writer.bytes
  }

  private static func write(_ report: AttemptReport, to writer: inout HeaderWriter) {
    writer.put(report.job.text)
    writer.put(report.token.number)
    writer.put(byte: report.outcome.rawValue)
    writer.put(signed: report.startedAt.milliseconds)
    writer.put(Int(clamping: report.durationMicroseconds))
    writer.put(byte: report.hasInstructions ? 1 : 0)
    writer.put(Int(clamping: report.retryAfterMilliseconds))
    writer.put(report.plugin)
    writer.put(byte: report.error == nil ? 0 : 1)
    guard let error = report.error else { return }
    writer.put(truncated(error.type, toBytes: 256))
    writer.put(truncated(error.message, toBytes: maximumErrorBytes))
    writer.put(truncated(error.location, toBytes: 1024))
    writer.put(truncated(error.standardErrorTail, toBytes: maximumTailBytes))
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    worker = try reader.workerID()
    pipeline = try reader.roleName()
    let count = try reader.count(atMost: Self.maximumReports)
    reports = []
    reports.reserveCapacity(count)
    for _ in 0..<count { reports.append(try Self.readReport(from: &reader)) }
  }

  private static func readReport(from reader: inout HeaderReader) throws(WireError) -> AttemptReport {
    let job = try reader.jobID()
    let token = LeaseToken(try reader.number())
    guard let outcome = AttemptOutcome(rawValue: try reader.byte()) else { throw WireError("an unknown outcome") }
    let startedAt = try reader.timestamp()
    let duration = Int64(try reader.count(atMost: .max))
    let hasInstructions = try reader.byte() == 1
    let retryAfter = Int64(try reader.count(atMost: .max))
    let plugin = try reader.text(atMost: 64)
    var error: JobError?
    if try reader.byte() == 1 {
      error = JobError(
        type: try reader.text(atMost: 256), message: try reader.text(atMost: maximumErrorBytes),
        location: try reader.text(atMost: 1024), standardErrorTail: try reader.text(atMost: maximumTailBytes))
    }
    return AttemptReport(
      job: job, token: token, outcome: outcome, startedAt: startedAt, durationMicroseconds: duration,
      hasInstructions: hasInstructions, retryAfterMilliseconds: retryAfter, plugin: plugin, error: error)
  }
}

/// "These are settled": the worker forgets them. Sent once the store has recorded the outcomes, or has refused them
/// as stale; either way there is nothing more to say about them.
public struct ReportAcknowledgement: Hashable, Sendable {
  public var tokens: [LeaseToken]

  public init(tokens: [LeaseToken]) { self.tokens = tokens }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.resultAck, reserving: 16 + 5 * tokens.count)
    writer.put(tokens)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    tokens = try reader.tokens(atMost: AttemptReports.maximumReports)
  }
}
