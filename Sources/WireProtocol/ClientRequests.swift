public import PipelineModel

/// How a request ended.
public enum ReplyCode: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  case ok = 0
  /// Accepted before under the same id; nothing was added.
  case duplicate = 1
  /// Too much at once. Try again later.
  case busy = 2
  /// The request is not one that can be carried out. Trying again will not help.
  case invalid = 3
  case notFound = 4
  /// The store does not answer or refuses writes. Try again later.
  case unavailable = 5
  /// The coordinator is stopping.
  case stopping = 6
  /// Instructions that the first phase says it does not take. Trying again will not help.
  case unfit = 7

  public var description: String {
    switch self {
    case .ok: "ok"
    case .duplicate: "duplicate"
    case .busy: "busy"
    case .invalid: "invalid"
    case .notFound: "not found"
    case .unavailable: "unavailable"
    case .stopping: "stopping"
    case .unfit: "unfit"
    }
  }

  /// - Parameter received: a code that a later version may have added: not known here, it means "try again later".
  public init(received: UInt8) { self = ReplyCode(rawValue: received) ?? .unavailable }
}

/// Jobs for a pipeline. As many payload frames follow the header.
public struct EnqueueRequest: Hashable, Sendable {
  public static let maximumJobs = 1_000
  /// Of a pipeline's name, in UTF-8.
  public static let maximumNameBytes = 256
  /// 100 years: sums with any time of a clock stay far from the ends of the numbers.
  public static let maximumDelayMilliseconds: Int64 = 36_525 * 86_400_000

  public struct Job: Hashable, Sendable {
    /// Nil: the coordinator makes one. With one, sending the request again does no harm.
    public var id: JobID?
    public var priority: Int
    /// How long the job waits before it may start, from its arrival at the coordinator: a duration, since clocks of two
    /// machines differ. 0 to `maximumDelayMilliseconds`.
    public var delayMilliseconds: Int64

    public init(id: JobID?, priority: Int = 0, delayMilliseconds: Int64 = 0) {
      self.id = id
      self.priority = priority
      self.delayMilliseconds = min(max(0, delayMilliseconds), EnqueueRequest.maximumDelayMilliseconds)
    }
  }

  /// Chosen by the client; comes back in the reply.
  public var request: UInt64
  public var pipeline: String
  public var jobs: [Job]

  public init(request: UInt64, pipeline: String, jobs: [Job]) {
    self.request = request
    self.pipeline = pipeline
    self.jobs = jobs
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.enqueue, reserving: 48 + 24 * jobs.count)
    writer.put(request)
    writer.put(pipeline)
    writer.put(jobs.count)
    for job in jobs {
      writer.put(job.id?.text ?? "")
      writer.put(signed: Int64(job.priority))
      writer.put(UInt64(clamping: job.delayMilliseconds))
    }
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    request = try reader.number()
    pipeline = try reader.text(atMost: EnqueueRequest.maximumNameBytes)
    let count = try reader.count(atMost: Self.maximumJobs)
    guard count > 0 else { throw WireError("an enqueue request without jobs") }
    jobs = []
    jobs.reserveCapacity(count)
    for _ in 0..<count {
      let id = try reader.optionalJobID()
      let priority = try reader.signed()
      guard (-8...7).contains(priority) else { throw WireError("a priority of \(priority); it is -8 to 7") }
      let delay = Int64(clamping: try reader.number())
      jobs.append(Job(id: id, priority: Int(priority), delayMilliseconds: delay))
    }
  }
}

/// What became of each job of an `EnqueueRequest`, in its order. `ok` only once the job is stored.
public struct EnqueueReply: Hashable, Sendable {
  public struct Job: Hashable, Sendable {
    public var code: ReplyCode
    public var id: JobID?
    /// Empty for `ok`; else a sentence for people.
    public var message: String

    public init(code: ReplyCode, id: JobID?, message: String = "") {
      self.code = code
      self.id = id
      self.message = message
    }
  }

  public var request: UInt64
  public var jobs: [Job]

  public init(request: UInt64, jobs: [Job]) {
    self.request = request
    self.jobs = jobs
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.enqueueReply, reserving: 32 + 24 * jobs.count)
    writer.put(request)
    writer.put(jobs.count)
    for job in jobs {
      writer.put(byte: job.code.rawValue)
      writer.put(job.id?.text ?? "")
      writer.put(truncated(job.message, toBytes: 1024))
    }
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    request = try reader.number()
    let count = try reader.count(atMost: EnqueueRequest.maximumJobs)
    jobs = []
    jobs.reserveCapacity(count)
    for _ in 0..<count {
      let code = ReplyCode(received: try reader.byte())
      let id = try reader.optionalJobID()
      jobs.append(Job(code: code, id: id, message: try reader.text(atMost: 1024)))
    }
  }
}

/// Any other request: a verb, and its arguments as a JSON object in the one payload frame.
public struct Request: Hashable, Sendable {
  public var request: UInt64
  public var pipeline: String
  /// See docs/wire-protocol.md, "Verbs".
  public var verb: String

  public init(request: UInt64, pipeline: String, verb: String) {
    self.request = request
    self.pipeline = pipeline
    self.verb = verb
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.request)
    writer.put(request)
    writer.put(pipeline)
    writer.put(verb)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    request = try reader.number()
    pipeline = try reader.text(atMost: EnqueueRequest.maximumNameBytes)
    verb = try reader.text(atMost: 64)
  }
}

/// The answer to a `Request`; one payload frame with a JSON value follows.
public struct Reply: Hashable, Sendable {
  public var request: UInt64
  public var code: ReplyCode
  public var message: String

  public init(request: UInt64, code: ReplyCode, message: String = "") {
    self.request = request
    self.code = code
    self.message = message
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.reply)
    writer.put(request)
    writer.put(byte: code.rawValue)
    writer.put(truncated(message, toBytes: 4096))
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    request = try reader.number()
    let code = ReplyCode(received: try reader.byte())
    self.code = code
    message = try reader.text(atMost: 4096)
  }
}
