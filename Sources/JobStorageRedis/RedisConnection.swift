internal import CHiredis
internal import Glibc
internal import JobStorage
internal import PipelineModel

/// One connection through hiredis. Belongs to one thread at a time; calls block, up to the time-outs.
final class RedisConnection {
  static let connectSeconds = 2
  /// Without a byte of an answer.
  static let answerSeconds = 5
  /// For all answers of one exchange, however they trickle in.
  static let exchangeSeconds = 10

  private let context: UnsafeMutablePointer<redisContext>
  private let address: RedisAddress
  /// True after an answer did not come: what comes later would be taken for the answer to another question.
  private(set) var isBroken = false
  /// Whether this server has served before: then what it refuses now, it may allow again.
  var isReconnect: Bool

  /// - Throws: `.unavailable` or `.misconfigured`; the socket is closed then.
  init(_ address: RedisAddress, isReconnect: Bool) throws(StoreError) {
    self.address = address
    self.isReconnect = isReconnect
    // hiredis writes with write(2): a server that went away must be an error, not the end of the process.
    if signal(SIGPIPE, SIG_IGN) != nil {}
    let limit = timeval(tv_sec: Self.connectSeconds, tv_usec: 0)
    let context =
      switch address.endpoint {
      case .tcp(let host, let port): redisConnectWithTimeout(host, port, limit)
      case .unix(let path): redisConnectUnixWithTimeout(path, limit)
      }
    guard let context else {
      throw StoreError(.unavailable, operation: "open", message: "\(address.shown): out of memory")
    }
    self.context = context
    guard context.pointee.err == 0 else { throw failure("open") }
    redisSetTimeout(context, timeval(tv_sec: Self.answerSeconds, tv_usec: 0))
    try logIn()
  }

  deinit { redisFree(context) }

  private func logIn() throws(StoreError) {
    if let password = address.password {
      let words = address.user.map { ["AUTH", $0, password] } ?? ["AUTH", password]
      _ = try exchange([RESPEncoder(words.map { Array($0.utf8) })], operation: "open")
    }
    if address.database != 0 {
      _ = try exchange(
        [RESPEncoder(["SELECT", String(address.database)].map { Array($0.utf8) })], operation: "open")
    }
    _ = try exchange([RESPEncoder([Array("PING".utf8)])], operation: "open")
  }

  /// Sends all commands, then reads all answers: one round trip. An answer that is an error is thrown once all are
  /// read, so that the connection stays usable.
  func exchange(_ commands: [RESPEncoder], operation: String) throws(StoreError) -> [RedisReply] {
    let replies = try answers(commands, operation: operation)
    try refuseErrors(in: replies, operation: operation)
    return replies
  }

  /// As `exchange`, errors among the answers.
  func answers(_ commands: [RESPEncoder], operation: String) throws(StoreError) -> [RedisReply] {
    for command in commands { append(command.command) }
    let end = Instant.now() + Int64(Self.exchangeSeconds) * 1_000
    try send(until: end, operation)
    var replies: [RedisReply] = []
    replies.reserveCapacity(commands.count)
    for _ in commands { replies.append(try nextReply(until: end, operation)) }
    return replies
  }

  private func send(until end: Instant, _ operation: String) throws(StoreError) {
    var isDone: Int32 = 0
    while true {
      guard redisBufferWrite(context, &isDone) == REDIS_OK else { throw failure(operation) }
      if isDone != 0 { return }
      guard Instant.now() < end else { throw tooSlow(operation, Self.exchangeSeconds) }
    }
  }

  private func nextReply(until end: Instant, _ operation: String) throws(StoreError) -> RedisReply {
    while true {
      var raw: UnsafeMutableRawPointer?
      guard redisGetReplyFromReader(context, &raw) == REDIS_OK else { throw failure(operation) }
      if let raw {
        defer { freeReplyObject(raw) }
        return RedisReply(copying: raw.assumingMemoryBound(to: redisReply.self))
      }
      guard Instant.now() < end else { throw tooSlow(operation, Self.exchangeSeconds) }
      guard redisBufferRead(context) == REDIS_OK else { throw failure(operation) }
    }
  }

  func refuseErrors(in replies: [RedisReply], operation: String) throws(StoreError) {
    for case .error(let text) in replies {
      throw StoreError(redis: text, address: address, isReconnect: isReconnect, operation: operation)
    }
  }

  private func append(_ command: [UInt8]) {
    _ = command.withUnsafeBytes {
      redisAppendFormattedCommand(context, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
    }
  }

  private func failure(_ operation: String) -> StoreError {
    let systemError = errno
    let text = withUnsafeBytes(of: context.pointee.errstr) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    switch context.pointee.err {
    case REDIS_ERR_IO where systemError == EAGAIN || systemError == EWOULDBLOCK:
      return tooSlow(operation, Self.answerSeconds)
    case REDIS_ERR_PROTOCOL:
      return broken(
        isReconnect ? .unavailable : .misconfigured, operation,
        "does not answer as Redis does; check host and port, and that it is no port for TLS, which is not supported")
    default:
      return broken(.unavailable, operation, "cannot be reached: \(text); start redis-server or check the address")
    }
  }

  private func tooSlow(_ operation: String, _ seconds: Int) -> StoreError {
    broken(
      .unavailable, operation,
      "did not answer within \(seconds) s; it is slow or stopped, look at its load and SLOWLOG")
  }

  private func broken(_ kind: StoreError.Kind, _ operation: String, _ clause: String) -> StoreError {
    isBroken = true
    return StoreError(kind, operation: operation, message: "storage \(address.shown) \(clause)")
  }
}
