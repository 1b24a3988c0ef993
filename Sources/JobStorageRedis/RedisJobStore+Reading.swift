public import JobStorage
public import PipelineModel

extension RedisJobStore {
  public func makeReader() throws(StoreError) -> (any JobReader)? {
    let session = try opened("makeReader")
    return RedisJobReader(server, prefix: session.prefix, keys: session.keys)
  }

  public func counts() throws(StoreError) -> StoreCounts {
    try asking("counts") { queries throws(StoreError) in try queries.counts() }
  }

  public func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    try asking("job") { queries throws(StoreError) in try queries.job(id) }
  }

  public func states(of ids: [JobID]) throws(StoreError) -> [JobState?] {
    try asking("states") { queries throws(StoreError) in try queries.states(of: ids) }
  }

  public func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    try asking("jobs") { queries throws(StoreError) in
      try queries.page(matching: filter, after: cursor, limit: limit, maximumBytes: maximumBytes)
    }
  }

  public func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    try asking("count") { queries throws(StoreError) in
      try queries.count(matching: filter, after: cursor, limit: limit)
    }
  }

  public func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    try asking("metrics") { queries throws(StoreError) in try queries.metrics(minutes: range) }
  }

  public func timelineOffset() throws(StoreError) -> Int64 {
    let meta = try asking("timelineOffset") { queries throws(StoreError) in
      try queries.fields(of: "meta", "timelineOffset")
    }
    let stored = meta["timeline_offset"].flatMap { Int64($0) } ?? 0
    return min(max(stored, -longestDurationMilliseconds), longestDurationMilliseconds)
  }

  public func paused() throws(StoreError) -> (pipeline: Bool, phases: Set<Int>) {
    let session = try opened("paused")
    let meta = try asking("paused") { queries throws(StoreError) in try queries.fields(of: "meta", "paused") }
    let phases = session.keys.keys.indices.filter { meta["paused:\(session.keys.keys[$0])"] != nil }
    return (meta["paused"] != nil, Set(phases))
  }

  public func runningJobs() throws(StoreError) -> [RunningJob] {
    var (running, damaged) = try leases()
    if !damaged.isEmpty {
      // What another program wrote must not stay at work for ever: these jobs wait again.
      let session = try opened("runningJobs")
      let key = session.queries.key("running")
      _ = try session.queries.exchange(damaged.map { [Array("HDEL".utf8), key, $0] }, "runningJobs")
      try rebuild(session)
      (running, _) = try leases()
    }
    return running.sorted { $0.token < $1.token }
  }

  private func leases() throws(StoreError) -> (running: [RunningJob], damaged: [[UInt8]]) {
    let session = try opened("runningJobs")
    var running: [JobID: RunningJob] = [:]
    var damaged: [[UInt8]] = []
    try asking("runningJobs") { queries throws(StoreError) in
      try queries.scan("running", "runningJobs") { fields throws(StoreError) in
        for field in fields {
          if let id = field.name.string.flatMap(JobID.init), let lease = field.value.string.flatMap(RedisLease.init) {
            running[id] = lease.runningJob(id, keys: session.keys)
          } else {
            damaged += [field.name.bytes ?? []]
          }
        }
        _ = try run(.keep, [], session, now: Timestamp(milliseconds: 0), operation: "runningJobs")
      }
    }
    return (Array(running.values), damaged)
  }

  /// A question that fails for want of an answer leaves a connection of which nobody knows what it holds.
  func asking<Answer>(
    _ operation: String, _ body: (RedisQueries) throws(StoreError) -> Answer
  ) throws(StoreError) -> Answer {
    let session = try opened(operation)
    do throws(StoreError) {
      return try body(session.queries)
    } catch {
      if session.connection.isBroken { forgetSession() }
      throw error
    }
  }
}
