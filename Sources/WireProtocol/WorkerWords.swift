public import PipelineModel

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
  }
}

/// `text` cut at a character's boundary to at most `limit` bytes of UTF-8.
public func truncated(_ text: String, toBytes limit: Int) -> String {
  guard text.utf8.count > limit else { return text }
  var end = text.utf8.index(text.startIndex, offsetBy: limit)
  while end > text.startIndex, end.samePosition(in: text) == nil { end = text.utf8.index(before: end) }
  return String(text[..<end])
}
