public import JobStorage
public import PipelineModel

/// Keeps jobs in Redis 6.2 or later, by Lua scripts through EVALSHA: each item of a turn is one atomic step of the
/// server, a turn one round trip, and no script holds the server long.
///
/// How safe jobs are is the server's choice: `appendonly yes` with `appendfsync always` loses nothing, `everysec` up to
/// the last second, no AOF everything since the last snapshot (docs/reliability.md).
///
/// Belongs to one thread at a time, like every `JobStore`. Sets SIGPIPE to be ignored, since hiredis would let it end
/// the process.
public final class RedisJobStore: JobStore {
  /// Ownership that is not renewed lapses after this long.
  static let ownershipMilliseconds = 1_500
  /// Rises with every change of what the keys hold. An earlier one is refused, not converted: no script may hold the server
  /// long, so a conversion would go in bites, could be cut off between two layouts, and each script would have to read both.
  /// The version that wrote the jobs can finish them.
  static let schema = 4

  public let address: String
  public private(set) var advice: [String] = []
  let server: RedisAddress
  private var session: Session?
  /// A server that was right once is not named wrongly: what it refuses later may pass.
  private var wasOpen = false
  /// The largest that was given; a store that went back in time must not give it again.
  private(set) var lastToken = 0
  /// At whether keys have gone missing.
  var millisecondsBetweenLooks: Int64 = 2_000

  struct Session {
    var connection: RedisConnection
    var scripts: LoadedScripts
    var owner: [UInt8]
    var pipeline: String
    var queries: RedisQueries
    /// When the keys are looked at next; nil where they can never agree.
    var looksAt: Instant?

    var prefix: [UInt8] { queries.prefix }
    var keys: PhaseKeys { queries.keys }
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
    let connection = try RedisConnection(server, isReconnect: wasOpen)
    let queries = RedisQueries(
      connection: connection, prefix: Array("carbontube:{\(pipeline.name)}:".utf8), keys: PhaseKeys(),
      address: address)
    var fresh = Session(
      connection: connection, scripts: try LoadedScripts(connection), owner: Array(owner.utf8),
      pipeline: pipeline.name, queries: queries)
    _ = try run(.own, [], fresh, now: now, operation: "open")
    do throws(StoreError) {
      try define(pipeline, &fresh, now: now)
      if try !isConsistent(fresh) { try rebuild(fresh) }
      fresh.looksAt = try isConsistent(fresh) ? .now() + millisecondsBetweenLooks : nil
      advice = try RedisAdvice.lines(fresh.connection, address: address)
    } catch {
      _ = try? run(.disown, [], fresh, now: now, operation: "close")
      throw error
    }
    session = fresh
    wasOpen = true
    connection.isReconnect = true
  }

  public func keepOwnership(now: Timestamp) throws(StoreError) {
    _ = try run(.keep, [], try opened("keepOwnership"), now: now, operation: "keepOwnership")
    try noticeLostKeys("keepOwnership")
  }

  public func close() {
    guard let session else { return }
    _ = try? run(.disown, [], session, now: Timestamp(milliseconds: 0), operation: "close")
    self.session = nil
  }

  /// The next `open` makes a new one.
  func forgetSession() { session = nil }

  func note(looksAt: Instant) { session?.looksAt = looksAt }

  func note(claims: [[ClaimedJob]]) {
    for case let job? in claims.map(\.last) { lastToken = max(lastToken, Int(clamping: job.token.number)) }
  }

  func opened(_ operation: String) throws(StoreError) -> Session {
    guard let session else {
      throw StoreError(.unavailable, operation: operation, message: "storage \(address) is not open")
    }
    return session
  }

  func corrupt(_ operation: String, _ what: String) -> StoreError {
    StoreError(
      .corrupt, operation: operation,
      message: "storage \(address): \(what) cannot be read; did another program write keys of this pipeline?")
  }
}

// MARK: - The pipeline's definition

extension RedisJobStore {
  private func define(_ pipeline: PipelineDefinition, _ session: inout Session, now: Timestamp) throws(StoreError) {
    let meta = try session.queries.fields(of: "meta", "open")
    try refuseOtherSchema(meta, pipeline)
    let known = (meta["phases"] ?? "").split(separator: " ").compactMap { PhaseName(text: String($0)) }
    session.queries.keys = PhaseKeys(known: known, pipeline: pipeline)
    let counts = try session.queries.fields(of: "counts", "open")
    let byKey = session.keys.names.indices.map { PhaseCounts(counts, key: $0) }
    try session.keys.refuseLeftovers(counts: byKey, pipeline: pipeline.name, address: address)
    for name in ["serial", "finish", "largest"] where meta[name].map({ Stored.count($0) == nil }) ?? false {
      throw corrupt("open", "the field \(name) of carbontube:{\(pipeline.name)}:meta")
    }
    // Lua's numbers are doubles.
    let time = min(max(0, now.milliseconds), Stored.maximum >> 11)
    let token = max(meta["token"].flatMap { Stored.count($0) } ?? 0, Int(time) << 10, lastToken)
    let names = session.keys.names.map(\.text).joined(separator: " ")
    let written = ["schema", String(Self.schema), "phases", names, "token", String(token), "owner"]
    _ = try run(
      .setMeta, written.map { Array($0.utf8) } + [session.owner], session, now: now, operation: "open")
  }

  private func refuseOtherSchema(_ meta: [String: String], _ pipeline: PipelineDefinition) throws(StoreError) {
    let stored = meta["schema"].flatMap { Int($0) } ?? Self.schema
    if stored > Self.schema {
      throw StoreError(
        .newerSchema, operation: "open",
        message: "storage \(address) was written by a later version (schema \(stored), this one knows \(Self.schema)); "
          + "update carbontube")
    }
    if stored < Self.schema {
      throw StoreError(
        .misconfigured, operation: "open",
        message:
          "storage \(address) was written by an earlier version (schema \(stored), this one reads \(Self.schema) "
          + "alone); let that version finish its jobs, then delete the keys carbontube:{\(pipeline.name)}:*")
    }
  }
}

// MARK: - Running scripts

extension RedisJobStore {
  /// Runs one script; `arguments` follow the owner, the time and the time to live.
  func run(
    _ script: RedisScript, _ arguments: [[UInt8]], _ session: Session, now: Timestamp, operation: String
  ) throws(StoreError) -> RedisReply {
    try run([(script, RESPEncoder(arguments))], session, now: now, operation: operation)[0]
  }

  /// Runs several scripts in one round trip. Those that the server has forgotten (a restart, SCRIPT FLUSH) are loaded and
  /// run again: the first of them and all that follow, unless one of those has run, since their order matters.
  func run(
    _ calls: [(script: RedisScript, arguments: RESPEncoder)], _ session: Session, now: Timestamp, operation: String
  ) throws(StoreError) -> [RedisReply] {
    let head = [session.owner, bytes(now.milliseconds), bytes(Self.ownershipMilliseconds)]
    let key = session.queries.key("owner")
    do throws(StoreError) {
      var replies = try session.connection.answers(
        calls.map { session.scripts.call($0.script, key: key, head, $0.arguments) }, operation: operation)
      if let first = replies.firstIndex(where: \.isForgotten), replies[first...].allSatisfy(\.isForgotten) {
        let scripts = try LoadedScripts(session.connection)
        replies[first...] = try session.connection.answers(
          calls[first...].map { scripts.call($0.script, key: key, head, $0.arguments) }, operation: operation)[...]
      }
      try session.connection.refuseErrors(in: replies, operation: operation)
      return replies
    } catch {
      // The caller must open the store again and compare.
      forgetSession()
      throw error
    }
  }
}

extension RedisReply {
  fileprivate var isForgotten: Bool {
    if case .error(let text) = self { text.hasPrefix("NOSCRIPT") } else { false }
  }
}

func bytes(_ number: some BinaryInteger) -> [UInt8] { Array(String(number).utf8) }
