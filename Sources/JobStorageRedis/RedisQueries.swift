internal import JobStorage
internal import PipelineModel

/// Reading one pipeline over one connection. Nothing here writes, and no command holds the server long: all that may be
/// many is asked for in bites.
struct RedisQueries {
  /// Jobs, leases or minutes that one command is asked for.
  static let bite = 200

  let connection: RedisConnection
  /// `carbontube:{PIPELINE}:`
  let prefix: [UInt8]
  var keys: PhaseKeys
  let address: String

  func key(_ name: String) -> [UInt8] { prefix + Array(name.utf8) }

  func exchange(_ commands: [[[UInt8]]], _ operation: String) throws(StoreError) -> [RedisReply] {
    try connection.exchange(commands.map(RESPEncoder.init), operation: operation)
  }

  /// `words` before the key and after it.
  func ask(_ command: String, _ name: String, _ words: [String] = [], for operation: String) throws(StoreError)
    -> RedisReply
  {
    try exchange([[Array(command.utf8), key(name)] + words.map { Array($0.utf8) }], operation)[0]
  }

  /// A hash that is small by its nature.
  func fields(of name: String, _ operation: String) throws(StoreError) -> [String: String] {
    Self.fields(try ask("HGETALL", name, for: operation))
  }

  static func fields(_ reply: RedisReply) -> [String: String] {
    let words = reply.array ?? []
    var fields: [String: String] = [:]
    for index in stride(from: 0, to: words.count - 1, by: 2) {
      if let name = words[index].string { fields[name] = words[index + 1].string }
    }
    return fields
  }

  /// All names and values of a large hash, a bite at a time; some may come twice.
  func scan(
    _ name: String, _ operation: String, each: ([(name: RedisReply, value: RedisReply)]) throws(StoreError) -> Void
  ) throws(StoreError) {
    var cursor = "0"
    repeat {
      let reply = try ask("HSCAN", name, [cursor, "COUNT", String(Self.bite)], for: operation).array ?? []
      guard reply.count == 2, let next = reply[0].string, let words = reply[1].array else {
        throw corrupt(operation, "an answer")
      }
      try each(stride(from: 0, to: words.count - 1, by: 2).map { (name: words[$0], value: words[$0 + 1]) })
      cursor = next
    } while cursor != "0"
  }

  func corrupt(_ operation: String, _ what: String) -> StoreError {
    StoreError(
      .corrupt, operation: operation,
      message: "storage \(address): \(what) cannot be read; did another program write keys of this pipeline?")
  }
}

extension RedisQueries {
  func counts() throws(StoreError) -> StoreCounts {
    let counts = try fields(of: "counts", "counts")
    func count(_ name: String) -> Int { counts[name].flatMap { Stored.count($0) } ?? 0 }
    return StoreCounts(
      phases: keys.keys.map { PhaseCounts(counts, key: $0) }, succeeded: count("succeeded"),
      cancelled: count("cancelled"), deadBytes: count("deadbytes"))
  }

  func metrics(minutes range: ClosedRange<Int64>) throws(StoreError) -> [PhaseMetrics] {
    var all: [PhaseMetrics] = []
    var from = String(range.lowerBound)
    while true {
      let words = [from, String(range.upperBound), "LIMIT", "0", String(Self.bite / 4)]
      let found = try ask("ZRANGEBYSCORE", "minutes", words, for: "metrics").array ?? []
      let minutes = found.compactMap(\.number)
      let hashes = try exchange(minutes.map { [Array("HGETALL".utf8), key("m:\($0)")] }, "metrics")
      for (minute, hash) in zip(minutes, hashes) { all += metrics(of: minute, Self.fields(hash)) }
      guard found.count == Self.bite / 4, let last = minutes.last else { return all }
      from = "(\(last)"
    }
  }

  private func metrics(of minute: Int64, _ fields: [String: String]) -> [PhaseMetrics] {
    var byPhase: [Int: PhaseMetrics] = [:]
    for (field, value) in fields {
      guard let colon = field.firstIndex(of: ":"), let key = Int(field[..<colon]), let value = Int64(value),
        let phase = keys.index(ofKey: key)
      else { continue }
      MetricsFields.add(
        value, field: field[field.index(after: colon)...],
        to: &byPhase[phase, default: PhaseMetrics(minute: minute, phase: phase)])
    }
    return byPhase.values.sorted { $0.phase < $1.phase }
  }
}

extension PhaseCounts {
  init(_ counts: [String: String], key: Int) {
    func count(_ letter: String) -> Int { counts["\(letter):\(key)"].flatMap { Stored.count($0) } ?? 0 }
    self.init(waiting: count("w"), delayed: count("d"), running: count("r"), dead: count("x"))
  }
}
