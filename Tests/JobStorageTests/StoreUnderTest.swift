import JobStorage
import JobStorageRedis
import PipelineModel
import Testing

/// A kind of store that the contract suite runs over.
struct StoreUnderTest: Sendable, CustomTestStringConvertible {
  let name: String
  /// A store that nobody else uses. Whatever it leaves behind must be gone when the test process is.
  let make: @Sendable () throws -> any JobStore

  var testDescription: String { name }

  /// A new store is done when it stands here and the suite passes.
  static let all = [
    StoreUnderTest(name: "memory") { MemoryJobStore() },
    StoreUnderTest(name: "redis") { try RedisJobStore(uri: "redis+unix://\(RedisServer.shared().socket)") },
    StoreUnderTest(name: "sqlite") { try SQLiteInFolder() },
  ]
}
