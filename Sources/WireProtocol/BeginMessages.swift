public import PipelineModel

/// "These are about to begin": asked by a worker about jobs that were lost before (`JobOrder.isSuspect`), again each
/// 500 ms until the coordinator answers with a `BeginAnswer`. No child gets such a job before.
public struct BeganReport: Hashable, Sendable {
  public var worker: WorkerID
  public var tokens: [LeaseToken]

  public init(worker: WorkerID, tokens: [LeaseToken]) {
    self.worker = worker
    self.tokens = tokens
  }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.began)
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

/// "It is written down that these begin": the worker may give them to its children.
public struct BeginAnswer: Hashable, Sendable {
  public var tokens: [LeaseToken]

  public init(tokens: [LeaseToken]) { self.tokens = tokens }

  public func encoded() -> [UInt8] {
    var writer = HeaderWriter(.begin)
    writer.put(tokens)
    return writer.bytes
  }

  public init(decoding frame: [UInt8]) throws(WireError) {
    var reader = HeaderReader(frame)
    tokens = try reader.tokens(atMost: Hello.maximumInFlight)
  }
}
