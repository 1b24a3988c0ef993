internal import JobStorage
internal import PipelineModel

/// A job without its instructions and its error, which may be long.
struct JobHead {
  let id: JobID
  let job: RedisJob
  let lease: RedisLease?

  var state: JobState { lease == nil ? job.state : .running }
  var updatedAt: Timestamp { lease?.claimedAt ?? job.updatedAt }
}

/// What stands at one place of an index.
struct IndexEntry {
  let id: [UInt8]
  let serial: UInt64
  /// Nil where the job is gone or cannot be read.
  var head: JobHead?
}

extension RedisQueries {
  /// Instructions and errors that are asked for at once.
  private static let bytesPerBite = 2 << 20
  private static let recordsPerBite = 50
  /// Bounds the time and the memory of one page.
  private static let jobsLookedAt = 10_000

  func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    let name = [Array(id.text.utf8)]
    guard let head = try heads(of: name, "job")[0] else {
      let isThere = try exchange([[Array("HEXISTS".utf8), key("job")] + name], "job")[0].number == 1
      if isThere { throw corrupt("job", "job '\(id)'") }
      return nil
    }
    guard let record = try records(of: [head], "job").first else { throw corrupt("job", "job '\(id)'") }
    return record
  }

  func states(of ids: [JobID]) throws(StoreError) -> [JobState?] {
    var states: [JobState?] = []
    for start in stride(from: 0, to: ids.count, by: Self.bite) {
      let bite = ids[start..<min(start + Self.bite, ids.count)]
      states += try heads(of: bite.map { Array($0.text.utf8) }, "states").map { $0?.state }
    }
    return states
  }

  func page(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    var chosen: [JobHead] = []
    var size = 0
    let next = try look(through: filter, after: cursor, limit: Self.jobsLookedAt, "jobs") { head in
      guard chosen.count < limit, chosen.isEmpty || size + head.job.size <= maximumBytes else { return false }
      size += head.job.size
      chosen.append(head)
      return true
    }.next
    return JobPage(jobs: try records(of: chosen, "jobs"), next: next)
  }

  func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    var step = CountStep()
    let end = try look(through: filter, after: cursor, limit: limit, "count") { _ in
      step.count += 1
      return true
    }
    (step.examined, step.next) = (end.examined, end.next)
    return step
  }

  /// Hands the jobs that match to `take`, the newest first, until it refuses one or `limit` were looked at.
  private func look(
    through filter: JobFilter, after cursor: String?, limit: Int, _ operation: String, take: (JobHead) -> Bool
  ) throws(StoreError) -> (examined: Int, next: String?) {
    var before = try cursor.map { text throws(StoreError) in try serial(of: text) }
    if let id = filter.id {
      guard let head = try heads(of: [Array(id.text.utf8)], operation)[0],
        before.map({ head.job.serial < $0 }) ?? true
      else { return (0, nil) }
      if try matching([head], filter, operation)[0] { _ = take(head) }
      return (1, nil)
    }
    var examined = 0
    while true {
      let wanted = min(Self.bite, max(1, limit - examined + 1))
      let entries = try entries(
        of: filter.index, from: before.map { "(\($0)" } ?? "+inf", to: "-inf", wanted, operation)
      let isMeant = try matching(entries.map(\.head), filter, operation)
      for (entry, isMeant) in zip(entries, isMeant) {
        if examined == limit || (isMeant && entry.head.map { !take($0) } ?? false) {
          // Where nothing was looked at the page begins where it was asked to.
          return (examined, String(before ?? entry.serial + 1))
        }
        examined += 1
        before = entry.serial
      }
      if entries.count < wanted { return (examined, nil) }
    }
  }

  private func serial(of cursor: String) throws(StoreError) -> UInt64 {
    guard let serial = UInt64(cursor), String(serial) == cursor else {
      throw StoreError(.badCursor, operation: "jobs", message: "'\(cursor)' is no cursor that a page gave")
    }
    return serial
  }

  /// Places of an index by serial, from one end on to the other; upwards where `from` is not `+inf` and `to` is no `-inf`.
  func entries(
    of index: String, from: String, to: String, _ count: Int, _ operation: String
  ) throws(StoreError) -> [IndexEntry] {
    let command = to == "-inf" ? "ZREVRANGEBYSCORE" : "ZRANGEBYSCORE"
    let words = [from, to, "WITHSCORES", "LIMIT", "0", String(count)]
    let reply = try ask(command, index, words, for: operation).array ?? []
    var entries: [IndexEntry] = []
    for place in stride(from: 0, to: reply.count - 1, by: 2) {
      guard let id = reply[place].bytes, let score = reply[place + 1].string.flatMap(Score.init) else {
        throw corrupt(operation, "an answer")
      }
      entries.append(IndexEntry(id: id, serial: UInt64(clamping: score.whole)))
    }
    for (place, head) in try heads(of: entries.map(\.id), operation).enumerated() { entries[place].head = head }
    return entries
  }

  func heads(of ids: [[UInt8]], _ operation: String) throws(StoreError) -> [JobHead?] {
    guard !ids.isEmpty else { return [] }
    let commands = ["job", "running"].map { [Array("HMGET".utf8), key($0)] + ids }
    let values = try exchange(commands, operation).map { $0.array ?? [] }
    guard values.allSatisfy({ $0.count == ids.count }) else { throw corrupt(operation, "an answer") }
    return ids.indices.map { place in
      guard let id = JobID(String(decoding: ids[place], as: UTF8.self)),
        let job = values[0][place].string.flatMap(RedisJob.init(text:))
      else { return nil }
      return JobHead(id: id, job: job, lease: values[1][place].string.flatMap(RedisLease.init(text:)))
    }
  }

  /// Whether each is there and meets the filter.
  func matching(_ heads: [JobHead?], _ filter: JobFilter, _ operation: String) throws(StoreError) -> [Bool] {
    var isMeant = heads.map { head in
      head.map {
        filter.matches(id: $0.id, state: $0.state, phase: keys.shownIndex(ofKey: $0.job.key))
          && filter.matches(updatedAt: $0.updatedAt)
      } ?? false
    }
    guard filter.errorContains.map({ !$0.isEmpty }) ?? false else { return isMeant }
    let places = isMeant.indices.filter { isMeant[$0] }
    for start in stride(from: 0, to: places.count, by: Self.recordsPerBite) {
      let bite = Array(places[start..<min(start + Self.recordsPerBite, places.count)])
      let ids = bite.compactMap { heads[$0].map { Array($0.id.text.utf8) } }
      let errors = try exchange([[Array("HMGET".utf8), key("error")] + ids], operation)[0].array ?? []
      guard errors.count == bite.count else { throw corrupt(operation, "an answer") }
      for (place, error) in zip(bite, errors) {
        isMeant[place] = filter.matches(error: error.bytes.flatMap(AttemptText.error(in:)))
      }
    }
    return isMeant
  }

  /// The whole jobs; those of which something is gone are left out.
  private func records(of heads: [JobHead], _ operation: String) throws(StoreError) -> [JobRecord] {
    var records: [JobRecord] = []
    var start = 0
    while start < heads.count {
      var (end, size) = (start + 1, heads[start].job.size)
      while end < min(start + Self.recordsPerBite, heads.count), size + heads[end].job.size <= Self.bytesPerBite {
        size += heads[end].job.size
        end += 1
      }
      let ids = heads[start..<end].map { Array($0.id.text.utf8) }
      let values = try exchange(["in", "error"].map { [Array("HMGET".utf8), key($0)] + ids }, operation)
        .map { $0.array ?? [] }
      guard values.allSatisfy({ $0.count == ids.count }) else { throw corrupt(operation, "an answer") }
      for (place, head) in heads[start..<end].enumerated() {
        guard let instructions = values[0][place].bytes else { continue }
        records.append(
          head.job.record(
            head.id, instructions: instructions, error: values[1][place].bytes.flatMap(AttemptText.error(in:)),
            lease: head.lease, keys: keys))
      }
      start = end
    }
    return records
  }
}

extension JobFilter {
  /// The smallest index by serial that holds every job that can match.
  var index: String {
    switch states {
    case [.dead]: "s:5"
    case [.cancelled]: "s:6"
    default: "all"
    }
  }
}
