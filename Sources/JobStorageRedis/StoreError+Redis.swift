internal import JobStorage

extension StoreError {
  /// What an error answer means. The server's words are repeated only where they hold no secret.
  ///
  /// - Parameter isReconnect: the server has served before, so a refusal is its change, not a wrong address, and may pass.
  init(redis text: String, address: RedisAddress, isReconnect: Bool, operation: String) {
    var (kind, clause) = Self.meaning(of: text, hiding: address.password)
    if kind == .misconfigured, isReconnect {
      kind = .unavailable
      clause += "; work resumes by itself when it is allowed again"
    }
    self.init(kind, operation: operation, message: "storage \(address.shown) \(clause)")
  }

  private static func meaning(of text: String, hiding password: String?) -> (Kind, String) {
    let code = String(text.prefix { $0 != " " })
    return switch code {
    case "CTOWNER":
      (.ownedByAnother, "is in use by another coordinator of this pipeline (\(text.dropFirst(8))); stop that one first")
    case "CTLAPSED":
      (.unavailable, "was emptied, or set back to an earlier state, under this coordinator; it is opened again")
    case "LOADING": (.unavailable, "is loading its data; work resumes by itself")
    case "MASTERDOWN", "TRYAGAIN": (.unavailable, "cannot serve now (\(code)); work resumes by itself")
    case "BUSY": (.unavailable, "is busy with another program's script; end that by SCRIPT KILL or wait")
    case "MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT":
      (.misconfigured, "is a node of a Redis Cluster, which is not supported yet; name a server that is not in one")
    case "OOM":
      (.refusesWrites, "is out of memory (maxmemory); raise maxmemory or delete jobs, work resumes by itself")
    case "READONLY": (.refusesWrites, "is a read-only replica; name its master, or wait until it is promoted")
    case "MISCONF": (.refusesWrites, "cannot save to its disk and refuses writes; free space, work resumes by itself")
    case "NOREPLICAS": (.refusesWrites, "has too few replicas to accept writes; work resumes by itself")
    case "NOAUTH": (.misconfigured, "wants a password; write redis://user:password@host")
    case "WRONGPASS": (.misconfigured, "does not accept the user or the password; check them in the address")
    case "NOPERM":
      (.misconfigured, "does not let this user run the commands that are needed; allow it +@all on ~carbontube:*")
    case "WRONGTYPE":
      (.corrupt, "holds keys of this pipeline that another program wrote; delete them or name a database")
    case "ERR" where text.contains("AUTH") || text.contains("password"):
      (.misconfigured, "does not accept the password; check it in the address")
    case "ERR" where text.contains("DB index"): (.misconfigured, "has no such database; name a smaller number")
    case "ERR" where text.contains("max number of clients"):
      (.unavailable, "has no room for another connection; raise maxclients, work resumes by itself")
    default: (.unavailable, "refuses: \(shown(text, hiding: password))")
    }
  }

  /// One line, of bounded length, without the password.
  private static func shown(_ text: String, hiding password: String?) -> String {
    if let password, text.contains(password) { return "(its words hold the password)" }
    return String(text.prefix(200).map { $0.isNewline ? " " : $0 })
  }
}
