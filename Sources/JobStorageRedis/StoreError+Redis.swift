internal import JobStorage

extension StoreError {
  /// What an error answer means. The server's words are repeated only where they hold no secret.
  init(redis text: String, address: String, operation: String) {
    let code = String(text.prefix { $0 != " " })
    let (kind, clause): (Kind, String) =
      switch code {
      case "CTOWNER":
        (
          .ownedByAnother,
          "is in use by another coordinator of this pipeline (\(text.dropFirst(8))); stop that one first"
        )
      case "CTLAPSED": (.unavailable, "has forgotten this coordinator's ownership; it is taken again")
      case "LOADING": (.unavailable, "is loading its data; work resumes by itself")
      case "MASTERDOWN", "BUSY", "TRYAGAIN", "CLUSTERDOWN":
        (.unavailable, "cannot serve now (\(code)); work resumes by itself")
      case "OOM": (.refusesWrites, "is out of memory (maxmemory); raise it or delete jobs, work resumes by itself")
      case "READONLY": (.refusesWrites, "is a read-only replica; name its master, or wait until it is promoted")
      case "MISCONF": (.refusesWrites, "cannot save to its disk and refuses writes; free space, work resumes by itself")
      case "NOREPLICAS": (.refusesWrites, "has too few replicas to accept writes; work resumes by itself")
      case "NOAUTH": (.misconfigured, "wants a password; write redis://user:password@host")
      case "WRONGPASS": (.misconfigured, "does not accept the user or the password")
      case "NOPERM": (.misconfigured, "does not let this user run the commands that are needed")
      case "WRONGTYPE": (.corrupt, "holds keys of this pipeline that another program wrote")
      case "ERR" where text.contains("AUTH") || text.contains("password"):
        (.misconfigured, "does not accept the password")
      case "ERR" where text.contains("DB index"): (.misconfigured, "has no such database")
      default: (.unavailable, "refuses: \(text)")
      }
    self.init(kind, operation: operation, message: "storage \(address) \(clause)")
  }
}
