internal import JobStorage

/// The Lua scripts. By number, not by text: hashing the text of one for every call would cost more than the call.
enum RedisScript: Int, CaseIterable, Sendable {
  case turn, own, disown, keep, setMeta, cancel, requeue, delete, forgetMetrics, index, recount, sweep, adopt,
    setAside

  var text: String {
    switch self {
    case .turn: turnScript
    case .own: ownScript
    case .disown: disownScript
    case .keep: keepScript
    case .setMeta: setMetaScript
    case .cancel: cancelScript
    case .requeue: requeueScript
    case .delete: deleteScript
    case .forgetMetrics: forgetMetricsScript
    case .index: indexScript
    case .recount: recountScript
    case .sweep: sweepScript
    case .adopt: adoptScript
    case .setAside: setAsideScript
    }
  }
}

/// The scripts of one connection, by the SHA-1 under which the server keeps them.
struct LoadedScripts {
  /// By the script's number.
  private var digests: [[UInt8]] = []

  /// Loads all scripts in one round trip.
  init(_ connection: RedisConnection) throws(StoreError) {
    let commands = RedisScript.allCases.map { RESPEncoder(["SCRIPT", "LOAD", $0.text].map { Array($0.utf8) }) }
    let replies = try connection.exchange(commands, operation: "open")
    for reply in replies {
      guard let digest = reply.bytes else {
        throw StoreError(.corrupt, operation: "open", message: "the storage server does not answer as Redis does")
      }
      digests.append(digest)
    }
  }

  /// The command that runs `script` with `key` as its one key.
  func call(_ script: RedisScript, key: [UInt8], _ head: [[UInt8]], _ arguments: RESPEncoder) -> RESPEncoder {
    var words = RESPEncoder([Array("EVALSHA".utf8), digests[script.rawValue], Array("1".utf8), key] + head)
    words.append(arguments)
    return words
  }
}
