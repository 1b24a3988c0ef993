internal import CHiredis
internal import Glibc
internal import JobStorage

/// One connection through hiredis. Belongs to one thread at a time; calls block, up to the time-outs.
final class RedisConnection {
  static let connectSeconds = 2
  static let answerSeconds = 5

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
      switch address.place {
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
      _ = try exchange([RedisWords(words.map { Array($0.utf8) })], operation: "open")
    }
    if address.database != 0 {
      _ = try exchange(
        [RedisWords(["SELECT", String(address.database)].map { Array($0.utf8) })], operation: "open")
    }
    _ = try exchange([RedisWords([Array("PING".utf8)])], operation: "open")
  }

  /// Sends all commands, then reads all answers: one round trip. An answer that is an error is thrown once all are
  /// read, so that the connection stays usable.
  func exchange(_ commands: [RedisWords], operation: String) throws(StoreError) -> [RedisReply] {
    let replies = try answers(commands, operation: operation)
    try refuseErrors(in: replies, operation: operation)
    return replies
  }

  /// As `exchange`, errors among the answers.
  func answers(_ commands: [RedisWords], operation: String) throws(StoreError) -> [RedisReply] {
    for command in commands { append(command.command) }
    var replies: [RedisReply] = []
    replies.reserveCapacity(commands.count)
    for _ in commands {
      var raw: UnsafeMutableRawPointer?
      guard redisGetReply(context, &raw) == REDIS_OK, let raw else { throw failure(operation) }
      defer { freeReplyObject(raw) }
      replies.append(RedisReply(copying: raw.assumingMemoryBound(to: redisReply.self)))
    }
    return replies
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
    isBroken = true
    let text = withUnsafeBytes(of: context.pointee.errstr) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    let isTimeout = context.pointee.err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK)
    let clause =
      isTimeout
      ? "did not answer within \(Self.answerSeconds) s; it is slow or stopped, look at its load and SLOWLOG"
      : "cannot be reached: \(text); start redis-server or check the address"
    return StoreError(.unavailable, operation: operation, message: "storage \(address.shown) \(clause)")
  }
}
