internal import JobStorage

/// What an administrator should change about a server although it works.
enum RedisAdvice {
  /// Asks the server; one that does not let this user ask gets no advice.
  static func lines(_ connection: RedisConnection, address: String) throws(StoreError) -> [String] {
    let commands = ["memory", "persistence"].map { RESPEncoder(["INFO", $0].map { Array($0.utf8) }) }
    let texts = try connection.answers(commands, operation: "open").map { $0.string ?? "" }
    return lines(fields(in: texts.joined(separator: "\n")), address: address)
  }

  static func lines(_ fields: [String: String], address: String) -> [String] {
    var lines: [String] = []
    if let policy = fields["maxmemory_policy"], policy != "noeviction" {
      // The owner's key alone has a time to live.
      let loss = policy.hasPrefix("volatile") ? "this coordinator's ownership" : "jobs"
      lines.append(
        "storage \(address) throws \(loss) away once its memory is full (maxmemory-policy \(policy)); set "
          + "maxmemory-policy to noeviction")
    }
    if fields["aof_enabled"] == "0" {
      lines.append(
        "storage \(address) keeps no append-only file: a crash of redis-server loses all jobs and outcomes since its last "
          + "snapshot; set appendonly to yes")
    }
    return lines
  }

  private static func fields(in text: String) -> [String: String] {
    var fields: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      if let colon = line.firstIndex(of: ":") {
        fields[String(line[..<colon])] = String(line[line.index(after: colon)...])
      }
    }
    return fields
  }
}
