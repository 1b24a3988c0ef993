internal import JobStorage

/// A Lua script as the server knows it.
struct RedisScript: Sendable {
  let text: String

  static let all = [
    turnScript, ownScript, disownScript, keepScript, setMetaScript, cancelScript, requeueScript, deleteScript,
    forgetMetricsScript, moveSchema1Script,
  ].map(RedisScript.init(text:))
}

/// The scripts of one connection, by the SHA-1 under which the server keeps them.
struct LoadedScripts {
  private var digests: [String: [UInt8]] = [:]

  /// Loads all scripts in one round trip.
  init(_ connection: RedisConnection) throws(StoreError) {
    let commands = RedisScript.all.map { RedisWords(["SCRIPT", "LOAD", $0.text].map { Array($0.utf8) }) }
    let replies = try connection.exchange(commands, operation: "open")
    for (script, reply) in zip(RedisScript.all, replies) {
      guard let digest = reply.bytes else {
        throw StoreError(.corrupt, operation: "open", message: "the storage server does not answer as Redis does")
      }
      digests[script.text] = digest
    }
  }

  /// The command that runs `script` with `key` as its one key.
  func call(_ script: String, key: [UInt8], _ head: [[UInt8]], _ arguments: RedisWords) -> RedisWords {
    var words = RedisWords([Array("EVALSHA".utf8), digests[script] ?? [], Array("1".utf8), key] + head)
    words.append(arguments)
    return words
  }
}
