public import JobStorage
internal import JobStorageRedis
internal import JobStorageSQLite

extension StorageSchemes {
  /// The stores that come with CarbonTube:
  ///
  /// - `memory:` keeps jobs in this process and loses them with it;
  /// - `sqlite:PATH` keeps them in a file, with no server;
  /// - `redis://[user[:password]@]host[:port][/db]`, `redis+unix:///path/to.sock[?db=N]` keep them in Redis.
  public static var standard: StorageSchemes {
    var schemes = StorageSchemes()
    schemes.register("memory", written: "memory:") { address throws(StoreError) in
      guard address == "memory:" else {
        throw StoreError(
          .misconfigured, operation: "open", message: "the storage address memory: takes nothing behind its colon")
      }
      return MemoryJobStore()
    }
    schemes.register("sqlite", written: "sqlite:PATH") { address throws(StoreError) in try SQLiteJobStore(uri: address)
    }
    schemes.register("redis", written: "redis://HOST") { address throws(StoreError) in try RedisJobStore(uri: address) }
    schemes.register("redis+unix", written: "redis+unix:///SOCKET") { address throws(StoreError) in
      try RedisJobStore(uri: address)
    }
    return schemes
  }
}

/// The store at `uri`, by one of `StorageSchemes.standard`; not opened yet.
///
/// - Throws: `.misconfigured` where the address is none of these.
public func jobStore(at uri: String) throws(StoreError) -> sending any JobStore {
  try StorageSchemes.standard.store(at: uri)
}
