public import JobStorage
public import PipelineModel

extension RedisJobStore {
  private static let jobsPerBite = 100
  private static let minutesPerBite = 20

  public func prune(
    _ policy: RetentionPolicy, metricsBefore: Int64, limit: Int, now: Timestamp
  ) throws(StoreError) -> Int {
    try forgetMetrics(before: metricsBefore, now: now)
    let counts = try asking("prune") { queries throws(StoreError) in try queries.fields(of: "counts", "prune") }
    func count(_ name: String) -> Int { counts[name].flatMap { Stored.count($0) } ?? 0 }
    var dead = counts.reduce(0) { $0 + ($1.key.hasPrefix("x:") ? Stored.count($1.value) ?? 0 : 0) }
    var pruned = 0
    if let most = policy.maximumDead, dead > most {
      pruned += try prune("dead", limit: min(limit, dead - most), now: now) { _ in
        dead -= 1
        return dead >= most
      }
    }
    var (finished, size) = (count("succeeded") + count("cancelled"), count("bytes"))
    pruned += try prune("end", limit: limit - pruned, now: now) { job in
      guard
        finished > policy.maximumFinished || size > policy.maximumBytes
          || now - job.updatedAt > policy.maximumAgeMilliseconds
      else { return false }
      finished -= 1
      size -= job.size
      return true
    }
    return pruned
  }

  /// Removes the first jobs of an index, until one is to stay.
  private func prune(
    _ index: String, limit: Int, now: Timestamp, isDoomed: (RedisJob) -> Bool
  ) throws(StoreError) -> Int {
    var pruned = 0
    // The oldest one alone at first: most of the time it stays, and so do all others.
    var bite = 1
    while pruned < limit {
      let wanted = min(bite, limit - pruned)
      let (ids, heads) = try asking("prune") { queries throws(StoreError) in
        let reply = try queries.ask("ZRANGE", index, ["0", String(wanted - 1)], for: "prune")
        let ids = (reply.array ?? []).compactMap(\.bytes)
        return (ids, try queries.heads(of: ids, "prune"))
      }
      // One that is gone or cannot be read is in the way of all behind it.
      let doomed = zip(ids, heads).prefix { $1.map { isDoomed($0.job) } ?? true }.map(\.0)
      pruned += try remove(doomed, now: now, operation: "prune")
      guard doomed.count == wanted else { break }
      bite = Self.jobsPerBite
    }
    return pruned
  }

  private func forgetMetrics(before minute: Int64, now: Timestamp) throws(StoreError) {
    // A week of minutes; what is left goes with the next call.
    for _ in 0..<(10_080 / Self.minutesPerBite) {
      let words = [bytes(minute), bytes(Self.minutesPerBite)]
      let reply = try run(.forgetMetrics, words, try opened("prune"), now: now, operation: "prune")
      if (reply.number ?? 0) < Self.minutesPerBite { return }
    }
  }

  public func setTimelineOffset(_ milliseconds: Int64) throws(StoreError) {
    let words = ["timeline_offset", String(milliseconds)].map { Array($0.utf8) }
    _ = try run(
      .setMeta, words, try opened("setTimelineOffset"), now: Timestamp(milliseconds: 0), operation: "setTimelineOffset")
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
}
