public import JobStorage
public import PipelineModel

/// Keeps jobs in Redis 6.2 or later, by Lua scripts through EVALSHA: each item of a turn is one atomic step of the
/// server, a turn one round trip.
///
/// How safe jobs are is the server's choice: `appendonly yes` with `appendfsync always` loses nothing, `everysec` up to
/// the last second, no AOF everything since the last snapshot (docs/reliability.md).
///
/// Belongs to one thread at a time, like every `JobStore`. Sets SIGPIPE to be ignored, since hiredis would let it end
/// the process.
public final class RedisJobStore: JobStore {
  /// Ownership that is not renewed lapses after this long.
  static let ownershipMilliseconds = 1_500
  static let schema = 2

  public let address: String
  private let server: RedisAddress
  private var session: Session?

  struct Session {
    var connection: RedisConnection
    var scripts: LoadedScripts
    /// `carbontube:{PIPELINE}:`
    var prefix: [UInt8]
    var owner: [UInt8]
    var pipeline: String
    var keys: PhaseKeys
  }

  /// - Parameter uri: `redis://[user[:password]@]host[:port][/db]` or `redis+unix://[user[:password]@]/path[?db=N]`.
  /// - Throws: `.misconfigured` where it is neither. Nothing is connected before `open`.
  public init(uri: String) throws(StoreError) {
    server = try RedisAddress(uri: uri)
    address = server.shown
  }

  deinit { close() }

  public func open(_ pipeline: PipelineDefinition, owner: String, now: Timestamp) throws(StoreError) {
    session = nil
    let connection = try RedisConnection(server)
    let prefix = Array("carbontube:{\(pipeline.name)}:".utf8)
    var fresh = Session(
      connection: connection, scripts: try LoadedScripts(connection), prefix: prefix, owner: Array(owner.utf8),
      pipeline: pipeline.name, keys: PhaseKeys())
    _ = try run(.own, [], fresh, now: now, operation: "open")
    do throws(StoreError) {
      try define(pipeline, &fresh, now: now)
    } catch {
      _ = try? run(.disown, [], fresh, now: now, operation: "close")
      throw error
    }
    session = fresh
  }

  private func define(_ pipeline: PipelineDefinition, _ session: inout Session, now: Timestamp) throws(StoreError) {
    let meta = try fields(of: "meta", session, operation: "open")
    let stored = meta["schema"].flatMap { Int($0) } ?? Self.schema
    guard stored <= Self.schema else {
      throw StoreError(
        .newerSchema, operation: "open",
        message: "storage \(address) was written by a later version (schema \(stored), this one knows \(Self.schema)); "
          + "update carbontube")
    }
    let known = (meta["phases"] ?? "").split(separator: " ").compactMap { PhaseName(text: String($0)) }
    session.keys = PhaseKeys(known: known, pipeline: pipeline)
    let counts = try fields(of: "counts", session, operation: "open")
    let byKey = session.keys.names.indices.map { PhaseCounts(counts, key: $0) }
    try session.keys.refuseLeftovers(counts: byKey, pipeline: pipeline.name, address: address)
    if stored == 1 { try moveSchema1(session, now: now) }
    let token = max(meta["token"].flatMap { UInt64($0) } ?? 0, UInt64(max(0, now.milliseconds)) &* 1_024)
    let names = session.keys.names.map(\.text).joined(separator: " ")
    let written = ["schema", String(Self.schema), "phases", names, "token", String(token)]
    _ = try run(.setMeta, written.map { Array($0.utf8) }, session, now: now, operation: "open")
  }

  public func keepOwnership(now: Timestamp) throws(StoreError) {
    _ = try run(.keep, [], try opened("keepOwnership"), now: now, operation: "keepOwnership")
  }

  public func close() {
    guard let session else { return }
    _ = try? run(.disown, [], session, now: Timestamp(milliseconds: 0), operation: "close")
    self.session = nil
  }
}

// MARK: - Talking to the server

extension RedisJobStore {
  func opened(_ operation: String) throws(StoreError) -> Session {
    guard let session else {
      throw StoreError(.unavailable, operation: operation, message: "storage \(address) is not open")
    }
    return session
  }

  /// Runs one script; `arguments` follow the owner, the time and the time to live.
  func run(
    _ script: RedisScript, _ arguments: [[UInt8]], _ session: Session, now: Timestamp, operation: String
  ) throws(StoreError) -> RedisReply {
    try run([(script, RedisWords(arguments))], session, now: now, operation: operation)[0]
  }

  /// Runs several scripts in one round trip. Where the server has forgotten them (a restart, SCRIPT FLUSH) they are
  /// loaded again, once: none of them has run then, as each names the same server's cache.
  func run(
    _ calls: [(script: RedisScript, arguments: RedisWords)], _ session: Session, now: Timestamp, operation: String
  ) throws(StoreError) -> [RedisReply] {
    let head = [session.owner, bytes(now.milliseconds), bytes(Self.ownershipMilliseconds)]
    let key = session.prefix + Array("owner".utf8)
    var session = session
    do throws(StoreError) {
      let commands = calls.map { session.scripts.call($0.script, key: key, head, $0.arguments) }
      return try exchange(formatted: commands, session, operation: operation)
    } catch {
      guard error.message.contains("NOSCRIPT") else { throw error }
      session.scripts = try LoadedScripts(session.connection)
      let commands = calls.map { session.scripts.call($0.script, key: key, head, $0.arguments) }
      return try exchange(formatted: commands, session, operation: operation)
    }
  }

  func exchange(
    _ commands: [[[UInt8]]], _ session: Session, operation: String
  ) throws(StoreError) -> [RedisReply] {
    try exchange(formatted: commands.map(RedisWords.init), session, operation: operation)
  }

  private func exchange(
    formatted commands: [RedisWords], _ session: Session, operation: String
  ) throws(StoreError) -> [RedisReply] {
    do throws(StoreError) {
      return try session.connection.exchange(commands, operation: operation)
    } catch {
      // The connection may hold answers that were not waited for: the next `open` makes a new one.
      if !error.message.contains("NOSCRIPT") { self.session = nil }
      throw error
    }
  }

  func fields(of name: String, _ session: Session, operation: String) throws(StoreError) -> [String: String] {
    let reply = try exchange([[Array("HGETALL".utf8), session.key(name)]], session, operation: operation)[0]
    let words = reply.array ?? []
    var fields: [String: String] = [:]
    for index in stride(from: 0, to: words.count - 1, by: 2) {
      if let name = words[index].string { fields[name] = words[index + 1].string }
    }
    return fields
  }

  func corrupt(_ operation: String, _ what: String) -> StoreError {
    StoreError(
      .corrupt, operation: operation,
      message: "storage \(address): \(what) cannot be read; did another program write keys of this pipeline?")
  }
}

extension RedisJobStore.Session {
  func key(_ name: String) -> [UInt8] { prefix + Array(name.utf8) }
}

func bytes(_ number: some BinaryInteger) -> [UInt8] { Array(String(number).utf8) }

extension PhaseCounts {
  init(_ counts: [String: String], key: Int) {
    func count(_ letter: String) -> Int { counts["\(letter):\(key)"].flatMap { Int($0) } ?? 0 }
    self.init(waiting: count("w"), delayed: count("d"), running: count("r"), dead: count("x"))
  }
}
