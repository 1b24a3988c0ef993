public import JobStorage
public import PipelineModel

extension RedisJobStore {
  /// Bounds the time and the memory of one page.
  private static let jobsLookedAt = 10_000
  private static let jobsPerRead = 200

  public func runningJobs() throws(StoreError) -> [RunningJob] {
    let session = try opened("runningJobs")
    var running: [RunningJob] = []
    for (id, text) in try fields(of: "running", session, operation: "runningJobs") {
      guard let name = JobID(id), let lease = RedisLease(text: text) else {
        throw corrupt("runningJobs", "job '\(id)'")
      }
      running.append(lease.runningJob(name, keys: session.keys))
    }
    return running.sorted { $0.token < $1.token }
  }

  public func counts() throws(StoreError) -> StoreCounts {
    let session = try opened("counts")
    let counts = try fields(of: "counts", session, operation: "counts")
    return StoreCounts(
      phases: session.keys.keys.map { PhaseCounts(counts, key: $0) },
      succeeded: counts["succeeded"].flatMap { Int($0) } ?? 0, cancelled: counts["cancelled"].flatMap { Int($0) } ?? 0)
  }

  public func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    let session = try opened("job")
    return try jobs([Array(id.text.utf8)], session, operation: "job").first?.record
  }

  public func jobs(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> JobPage {
    let session = try opened("jobs")
    var page = JobPage(jobs: [], next: nil)
    var before: UInt64?
    if let cursor {
      guard let serial = UInt64(cursor), String(serial) == cursor else { return page }
      before = serial
    }
    if let id = filter.id {
      let found = try jobs([Array(id.text.utf8)], session, operation: "jobs").first
      if limit > 0, let found, before.map({ found.serial < $0 }) ?? true, filter.matches(found.record) {
        page.jobs = [found.record]
      }
      return page
    }
    var looked = 0
    while true {
      let ids = try newestFirst(before: before, in: filter.index, session)
      for job in try jobs(ids, session, operation: "jobs") {
        if page.jobs.count >= limit || looked == Self.jobsLookedAt {
          page.next = before.map { String($0) }
          return page
        }
        if filter.matches(job.record) { page.jobs.append(job.record) }
        before = job.serial
        looked += 1
      }
      if ids.count < Self.jobsPerRead { return page }
    }
  }

  private func newestFirst(before: UInt64?, in index: String, _ session: Session) throws(StoreError) -> [[UInt8]] {
    let from = before.map { "(\($0)" } ?? "+inf"
    let words = ["-inf", "LIMIT", "0", String(Self.jobsPerRead)].map { Array($0.utf8) }
    let reply = try exchange(
      [[Array("ZREVRANGEBYSCORE".utf8), session.key(index), Array(from.utf8)] + words], session, operation: "jobs")[0]
    return (reply.array ?? []).compactMap(\.bytes)
  }

  /// Jobs that are there, in the order of `ids`.
  func jobs(_ ids: [[UInt8]], _ session: Session, operation: String) throws(StoreError) -> [FoundJob] {
    guard !ids.isEmpty else { return [] }
    let hashes = ["job", "in", "error", "running"]
    let commands = hashes.map { [Array("HMGET".utf8), session.key($0)] + ids }
    let values = try exchange(commands, session, operation: operation).map { $0.array ?? [] }
    guard values.allSatisfy({ $0.count == ids.count }) else { throw corrupt(operation, "an answer") }
    var jobs: [FoundJob] = []
    for (index, bytes) in ids.enumerated() {
      guard let text = values[0][index].string else { continue }
      let name = String(decoding: bytes, as: UTF8.self)
      guard let id = JobID(name), let job = RedisJob(text: text), let instructions = values[1][index].bytes else {
        throw corrupt(operation, "job '\(name)'")
      }
      let record = job.record(
        id, instructions: instructions, error: values[2][index].bytes.flatMap(AttemptText.error(in:)),
        lease: values[3][index].string.flatMap(RedisLease.init(text:)), keys: session.keys)
      jobs.append(FoundJob(record: record, serial: job.serial, key: job.key))
    }
    return jobs
  }

  public func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) {
    let session = try opened("paused")
    let meta = try fields(of: "meta", session, operation: "paused")
    let phases = session.keys.keys.indices.filter { meta["paused:\(session.keys.keys[$0])"] != nil }
    return (meta["paused"] != nil, Set(phases))
  }

  public func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    let session = try opened("metrics")
    let words = ["ZRANGEBYSCORE"].map { Array($0.utf8) } + [session.key("minutes")]
    let minutes =
      try exchange(
        [words + [bytes(range.lowerBound), bytes(range.upperBound)]], session, operation: "metrics")[0].array ?? []
    var all: [PhaseMetrics] = []
    for minute in minutes.compactMap(\.number) {
      var byPhase: [Int: PhaseMetrics] = [:]
      for (field, value) in try fields(of: "m:\(minute)", session, operation: "metrics") {
        guard let colon = field.firstIndex(of: ":"), let key = Int(field[..<colon]), let value = Int64(value),
          let phase = session.keys.index(ofKey: key)
        else { continue }
        MetricsFields.add(
          value, field: field[field.index(after: colon)...],
          to: &byPhase[phase, default: PhaseMetrics(minute: minute, phase: phase)])
      }
      all += byPhase.values.sorted { $0.phase < $1.phase }
    }
    return all
  }
}

/// A job as it is shown, and where it stands.
struct FoundJob {
  let record: JobRecord
  let serial: UInt64
  let key: Int
}

extension JobFilter {
  /// The smallest index that holds every job that can match.
  fileprivate var index: String {
    switch states {
    case [.dead]: "s:5"
    case [.cancelled]: "s:6"
    default: "all"
    }
  }
}
