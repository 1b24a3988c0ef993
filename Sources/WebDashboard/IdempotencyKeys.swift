internal import PluginCatalog
internal import Synchronization

/// What was enqueued under which Idempotency-Key: the same key with another body is a mistake that would otherwise look
/// like success.
final class IdempotencyKeys: Sendable {
  private struct State {
    var bodies: [String: String] = [:]
    /// Oldest first; a ring once it is full.
    var order: [String] = []
    var next = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int = 10_000) { self.limit = limit }

  /// The id of the job that is enqueued with the key.
  static func jobID(for key: String) -> String {
    "key-\(PluginCatalog.sha256(of: Array(key.utf8)).prefix(32))"
  }

  func remember(_ body: [UInt8], for id: String) {
    let digest = PluginCatalog.sha256(of: body)
    state.withLock { state in
      guard state.bodies.updateValue(digest, forKey: id) == nil else { return }
      if state.order.count < limit {
        state.order.append(id)
      } else {
        state.bodies[state.order[state.next]] = nil
        state.order[state.next] = id
        state.next = (state.next + 1) % limit
      }
    }
  }

  /// Nil where it is not known any more.
  func isSame(_ body: [UInt8], as id: String) -> Bool? {
    state.withLock { $0.bodies[id] }.map { $0 == PluginCatalog.sha256(of: body) }
  }
}
