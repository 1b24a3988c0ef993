internal import JobStorage
internal import PipelineModel

/// Making indexes and counts anew where they cannot be true: Redis evicts whole keys, and people delete them.
extension RedisJobStore {
  private static let jobsPerBite = 100

  /// Now and then. Redis evicts whole keys, and people delete them, under a running coordinator, too: jobs whose queue is
  /// gone would wait until the next start.
  func noticeLostKeys(_ operation: String) throws(StoreError) {
    let session = try opened(operation)
    let now = Instant.now()
    guard let looksAt = session.looksAt, now >= looksAt else { return }
    note(looksAt: now + millisecondsBetweenLooks)
    let agree = try asking(operation) { _ throws(StoreError) -> Bool in try isConsistent(session) }
    guard !agree else { return }
    forgetSession()
    throw StoreError(
      .unavailable, operation: operation,
      message:
        "storage \(address) has lost keys of this pipeline, or went back in time (did it evict them, or did somebody delete them?); what "
        + "can be made from the jobs is made again")
  }

  /// Whether indexes hold as many jobs as the counts say, none newer than the last, and all of it is no older than what was
  /// told. Cheap, however many jobs there are.
  func isConsistent(_ session: Session) throws(StoreError) -> Bool {
    let queries = session.queries
    let newest = try queries.ask("ZREVRANGE", "all", ["0", "0", "WITHSCORES"], for: "open").array?.last?.string
    let counters = try queries.ask("HMGET", "meta", ["serial", "token"], for: "open").array?.map(\.number) ?? []
    guard counters.count == 2, let token = counters[1], token >= lastToken else { return false }
    let serial = counters[0] ?? 0
    if let newest, Score(newest).map({ $0.whole > serial }) ?? true { return false }
    let counts = try queries.fields(of: "counts", "open")
    func sum(_ prefix: String) -> Int64 {
      counts.reduce(0) { $0 &+ ($1.key.hasPrefix(prefix) ? Int64($1.value) ?? -1 : 0) }
    }
    let sorted = ["all", "delayed", "end", "dead", "s:5", "s:6"] + session.queues
    let commands =
      ["job", "in", "running"].map { [Array("HLEN".utf8), queries.key($0)] }
      + sorted.map { [Array("ZCARD".utf8), queries.key($0)] }
    let sizes = try queries.exchange(commands, "open").map { $0.number ?? -1 }
    let (waiting, running) = (sum("w:"), sum("r:"))
    let (delayed, dead) = (sum("d:"), sum("x:"))
    let (succeeded, cancelled) = (sum("succeeded"), sum("cancelled"))
    let all = waiting &+ delayed &+ running &+ dead &+ succeeded &+ cancelled
    let expected = [all, all, running, all, delayed, succeeded &+ cancelled, dead, dead, cancelled]
    return Array(sizes.prefix(expected.count)) == expected && sizes.dropFirst(expected.count).reduce(0, &+) == waiting
  }

  func rebuild(_ session: Session) throws(StoreError) {
    let now = Timestamp(milliseconds: 0)
    for name in ["running", "job"] {
      try session.queries.scan(name, "open") { fields throws(StoreError) in
        for ids in fields.compactMap(\.name.bytes).chunks(of: Self.jobsPerBite) {
          _ = try run(.index, ids, session, now: now, operation: "open")
        }
      }
    }
    _ = try session.queries.exchange([[Array("DEL".utf8), session.queries.key("recount")]], "open")
    try walk(.recount, [], session)
    _ = try run(.adopt, [], session, now: now, operation: "open")
    let indexes = [("delayed", "2"), ("end", "46"), ("dead", "5"), ("s:5", "5"), ("s:6", "6")]
    for (index, states) in indexes + session.queues.map({ ($0, "1") }) {
      try walk(.sweep, [Array(index.utf8), Array(states.utf8)], session)
    }
  }

  /// Runs a script over an index, a bite at a time; it answers how many of a bite have stayed.
  private func walk(_ script: RedisScript, _ arguments: [[UInt8]], _ session: Session) throws(StoreError) {
    let name = script == .recount ? "all" : String(decoding: arguments[0], as: UTF8.self)
    var place = 0
    while try place < session.queries.ask("ZCARD", name, for: "open").number ?? 0 {
      let words = arguments + [bytes(place), bytes(Self.jobsPerBite)]
      let kept = try run(script, words, session, now: Timestamp(milliseconds: 0), operation: "open").number
      place += Int(clamping: max(0, kept ?? 0))
    }
  }
}

extension RedisJobStore.Session {
  /// The queues of all phases that ever were.
  fileprivate var queues: [String] { keys.names.indices.map { "q:\($0)" } }
}

extension Array {
  fileprivate func chunks(of size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
