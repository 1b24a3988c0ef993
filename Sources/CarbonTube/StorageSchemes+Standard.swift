public import JobStorage
internal import JobStorageRedis
internal import JobStorageSQLite

/// The store that `uri` names, not opened yet:
///
/// - `memory:` keeps jobs in this process and loses them with it;
/// - `sqlite:PATH` keeps them in a file, with no server;
/// - `redis://[user[:password]@]host[:port][/db]`, `redis+unix:///path/to.sock[?db=N]` keep them in Redis.
///
/// - Throws: `.misconfigured` where the address is none of these.
public func jobStore(at uri: String) throws(StoreError) -> sending any JobStore {
  let scheme = uri.prefix { $0 != ":" }
  switch scheme {
  case "memory" where uri == "memory:": return MemoryJobStore()
  case "sqlite": return try SQLiteJobStore(uri: uri)
  case "redis", "redis+unix": return try RedisJobStore(uri: uri)
  default:
    // The address may hold a password, so only its scheme is repeated.
    throw StoreError(
      .misconfigured, operation: "open",
      message:
        "storage address '\(scheme):…' is not known; write memory:, sqlite:PATH, redis://HOST or redis+unix:///SOCKET")
  }
}
