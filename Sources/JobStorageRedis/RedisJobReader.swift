internal import JobStorage
internal import PipelineModel

/// Looks at a pipeline over a connection of its own, made at the first question and again after it broke. It neither has
/// nor wants ownership.
final class RedisJobReader: JobReader {
  private let server: RedisAddress
  private let prefix: [UInt8]
  private let keys: PhaseKeys
  private var connection: RedisConnection?

  init(_ server: RedisAddress, prefix: [UInt8], keys: PhaseKeys) {
    self.server = server
    self.prefix = prefix
    self.keys = keys
  }

  func counts() throws(StoreError) -> StoreCounts { try asking { queries throws(StoreError) in try queries.counts() } }

  func job(_ id: JobID) throws(StoreError) -> JobRecord? {
    try asking { queries throws(StoreError) in try queries.job(id) }
  }

  func states(of ids: [JobID]) throws(StoreError) -> [JobState?] {
    try asking { queries throws(StoreError) in try queries.states(of: ids) }
  }

  func jobs(
    matching filter: JobFilter, after cursor: String?, limit: Int, maximumBytes: Int
  ) throws(StoreError) -> JobPage {
    try asking { queries throws(StoreError) in
      try queries.page(matching: filter, after: cursor, limit: limit, maximumBytes: maximumBytes)
    }
  }

  func count(matching filter: JobFilter, after cursor: String?, limit: Int) throws(StoreError) -> CountStep {
    try asking { queries throws(StoreError) in try queries.count(matching: filter, after: cursor, limit: limit) }
  }

  func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    try asking { queries throws(StoreError) in try queries.metrics(minutes: range) }
  }

  func close() { connection = nil }

  private func asking<Answer>(_ body: (RedisQueries) throws(StoreError) -> Answer) throws(StoreError) -> Answer {
    if connection?.isBroken ?? true {
      connection = nil
      connection = try RedisConnection(server, isReconnect: true)
    }
    guard let connection else { preconditionFailure("just made") }
    return try body(RedisQueries(connection: connection, prefix: prefix, keys: keys, address: server.shown))
  }
}
