public import JobStorage
public import PipelineModel

extension RedisJobStore {
  private static let idsPerCall = 500

  public func cancel(_ id: JobID, now: Timestamp) throws(StoreError) -> (was: JobState, lease: RunningJob?)? {
    let session = try opened("cancel")
    let reply = try run(.cancel, [Array(id.text.utf8)], session, now: now, operation: "cancel")
    guard let fields = reply.array, let first = fields.first else { return nil }
    guard let state = first.number.flatMap({ JobState(rawValue: UInt8(clamping: $0)) }) else {
      throw corrupt("cancel", "job '\(id)'")
    }
    guard state == .running else { return (state, nil) }
    let lease = fields.count > 1 ? fields[1].string.flatMap(RedisLease.init(text:)) : nil
    return (state, lease?.runningJob(id, keys: session.keys))
  }

  public func requeue(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> [Int: Int] {
    var moved: [Int: Int] = [:]
    var room = limit
    for state in filter.states(for: .requeue) where room > 0 {
      var wanted = filter
      wanted.states = [state]
      let ids = try candidates(in: state.index, matching: wanted, limit: room, now: now) { keys, job in
        keys.index(ofKey: job.key) != nil
      }
      for part in ids.chunks(of: Self.idsPerCall) {
        let session = try opened("requeue")
        for key in try run(.requeue, part, session, now: now, operation: "requeue").array ?? [] {
          guard let key = key.number else { throw corrupt("requeue", "an answer") }
          moved[session.keys.shownIndex(ofKey: Int(key)), default: 0] += 1
          room -= 1
        }
      }
    }
    return moved
  }

  public func delete(matching filter: JobFilter, limit: Int, now: Timestamp) throws(StoreError) -> Int {
    let ids = try candidates(in: "all", matching: filter, limit: limit, now: now) { _, job in
      job.record.state != .running
    }
    return try remove(ids, now: now, operation: "delete")
  }

  public func prune(
    _ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp
  ) throws(StoreError) -> Int {
    let session = try opened("prune")
    _ = try run(.forgetMetrics, [bytes(metricsBefore)], session, now: now, operation: "prune")
    let counts = try fields(of: "counts", session, operation: "prune")
    let dead = session.keys.names.indices.reduce(0) { $0 + PhaseCounts(counts, key: $1).dead }
    func count(_ name: String) -> Int { counts[name].flatMap { Int($0) } ?? 0 }
    var finished = count("succeeded") + count("cancelled") + dead
    var size = count("bytes")
    var doomed: [[UInt8]] = []
    // The oldest one alone at first: most of the time it stays, and so do all others.
    var (start, page) = (0, 1)
    search: while doomed.count < limit {
      let words =
        ["ZRANGE"].map { Array($0.utf8) } + [session.key("end"), bytes(start), bytes(start + page - 1)]
      let ids = (try exchange([words], session, operation: "prune")[0].array ?? []).compactMap(\.bytes)
      for job in try jobs(ids, session, operation: "prune") {
        let isOld = now - job.record.updatedAt > policy.maximumAgeMilliseconds
        guard isOld || finished > policy.maximumFinished || size > policy.maximumBytes, doomed.count < limit else {
          break search
        }
        doomed.append(Array(job.record.id.text.utf8))
        finished -= 1
        size -= job.record.instructions.count
      }
      if ids.count < page { break }
      start += page
      page = Self.idsPerCall
    }
    return try remove(doomed, now: now, operation: "prune")
  }

  public func setPaused(_ paused: Bool, phase: Int?) throws(StoreError) {
    let session = try opened("setPaused")
    var field = "paused"
    if let phase {
      guard let key = session.keys.key(ofIndex: phase) else {
        throw StoreError(
          .misconfigured, operation: "setPaused",
          message: "\(address): phase \(phase) does not exist; the pipeline has \(session.keys.phaseCount)")
      }
      field = "paused:\(key)"
    }
    let words = [field, paused ? "1" : ""].map { Array($0.utf8) }
    _ = try run(.setMeta, words, session, now: Timestamp(milliseconds: 0), operation: "setPaused")
  }

  private func remove(_ ids: [[UInt8]], now: Timestamp, operation: String) throws(StoreError) -> Int {
    var removed = 0
    for part in ids.chunks(of: Self.idsPerCall) {
      let reply = try run(.delete, part, try opened(operation), now: now, operation: operation)
      removed += Int(reply.number ?? 0)
    }
    return removed
  }

  /// The first `limit` jobs of an index that match, lowest score first. The index is read to its end where few match,
  /// so ownership is renewed on the way.
  private func candidates(
    in index: String, matching filter: JobFilter, limit: Int, now: Timestamp,
    where isMeant: (PhaseKeys, FoundJob) -> Bool
  ) throws(StoreError) -> [[UInt8]] {
    var found: [[UInt8]] = []
    var start = 0
    while found.count < limit {
      let session = try opened("candidates")
      var ids: [[UInt8]]
      if let id = filter.id {
        ids = [Array(id.text.utf8)]
      } else {
        let words =
          ["ZRANGE"].map { Array($0.utf8) } + [session.key(index), bytes(start), bytes(start + Self.idsPerCall - 1)]
        ids = (try exchange([words], session, operation: "candidates")[0].array ?? []).compactMap(\.bytes)
        // SERIAL:ID
        if index == "delayed" { ids = ids.map { Array($0.dropFirst(17)) } }
      }
      for job in try jobs(ids, session, operation: "candidates") where found.count < limit {
        if filter.matches(job.record), isMeant(session.keys, job) { found.append(Array(job.record.id.text.utf8)) }
      }
      start += Self.idsPerCall
      if ids.count < Self.idsPerCall { break }
      if start % (20 * Self.idsPerCall) == 0 { try keepOwnership(now: now) }
    }
    return found
  }
}

extension JobState {
  fileprivate var index: String {
    switch self {
    case .dead: "s:5"
    case .cancelled: "s:6"
    case .delayed: "delayed"
    case .waiting, .running, .succeeded: "all"
    }
  }
}

extension Array {
  fileprivate func chunks(of size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
