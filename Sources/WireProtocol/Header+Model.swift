public import PipelineModel

extension HeaderReader {
  public mutating func jobID() throws(WireError) -> JobID {
    guard let id = JobID(try text(atMost: JobID.maximumLength)) else { throw WireError("a job id with a space in it") }
    return id
  }

  /// Nil for an empty text.
  public mutating func optionalJobID() throws(WireError) -> JobID? {
    let text = try text(atMost: JobID.maximumLength)
    guard !text.isEmpty else { return nil }
    guard let id = JobID(text) else { throw WireError("a job id with a space in it") }
    return id
  }

  public mutating func workerID() throws(WireError) -> WorkerID {
    guard let id = WorkerID(try text(atMost: 128)) else { throw WireError("a worker id that is not a plain name") }
    return id
  }

  public mutating func roleName() throws(WireError) -> String {
    let name = try text(atMost: 64)
    guard isRoleName(name) else { throw WireError("'\(name)' is not a job_type or pipeline name") }
    return name
  }

  public mutating func timestamp() throws(WireError) -> Timestamp {
    Timestamp(milliseconds: try signed())
  }

  public mutating func tokens(atMost limit: Int) throws(WireError) -> [LeaseToken] {
    let count = try count(atMost: limit)
    var tokens: [LeaseToken] = []
    tokens.reserveCapacity(count)
    for _ in 0..<count { tokens.append(LeaseToken(try number())) }
    return tokens
  }
}

extension HeaderWriter {
  /// Their count, then each; `tokens(atMost:)` reads them.
  public mutating func put(_ tokens: [LeaseToken]) {
    put(tokens.count)
    for token in tokens { put(token.number) }
  }
}
